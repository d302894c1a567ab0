"""When the answer is not in the context, how does a network learn to use it?

Source: minegishi2025, sections 3 and 4, figures 2, 4 and 6, tables 1 and 2. Here:
random maps, as in the text (the released code's are cyclic); a one-hot position of 9
slots on all tokens and no shift (the text: 65 and a shift); no W_O, as in the released
code; SGD at 0.1 with momentum 0.8 and batch 64 instead of plain SGD at 0.01 and 128;
the first layer's W_Q and W_K start at 0.7 of the usual scale. A run ends when the task
is mastered. `paper` keeps the text's numbers, but has no W_O either.
"""

import numpy as np

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    at_least,
    below,
    equals,
)
from snippets.icl.tasks.label_maps import Task
from snippets.icl.training.circuits import (
    at_the_end,
    attention,
    before_split,
    begins,
    gap,
    has_second,
    ncc,
    scc,
    second_phase,
    strongest,
)
from snippets.icl.training.label_map_training import Config, longest_rest, train

PRESETS = {
    "laptop": Config(),
    "paper": Config(
        Task(n_slots=65),
        first_scale=1.0,
        learning_rate=0.01,
        momentum=0.0,
        mastered=2.0,  # never: the run goes on to its end
        batch=128,
        n_steps=400_000,
        evaluate_every=1000,
    ),
}


def run(config: Config, seed: int) -> Measurements:
    m = train(config, seed)
    length, begin = longest_rest(m)
    return {
        **m,
        "rest": length,
        "rest_accuracy": at_step(m, m["accuracy"], begin),
        "second": second_phase(m),
        "split": begins(m)[2],
        "unpaired": unpaired(m),
        **{
            f"{name}_at_the_end": at_the_end(m, attention(m, name))
            for name in ("bigram_1", "label_1", "bigram_2", "label_2")
        },
    }


def unpaired(m: Measurements) -> float:
    """The highest accuracy before the split that its twin reaches as well."""
    both = np.minimum(m["accuracy"], m["accuracy_moved"])
    return float(both[before_split(m)].max())


def pairs(m: Measurements) -> bool:
    """Whether the third phase has begun by the end of the run."""
    return begins(m)[2] < np.inf


def at_step(m: Measurements, curve: np.ndarray, step: float) -> float:
    """A curve at a measured step, or infinity if the step is never."""
    there = curve[m["step"] == step]
    return float(there[0]) if len(there) else np.inf


def above_labels(m: Measurements) -> float:
    """Accuracy where the second circuit is strongest, from what query and labels can
    tell."""
    return float(m["accuracy"][strongest(m)] - m["ceiling_labels"])


def rise(m: Measurements, name: str) -> float:
    """From the least attention before the split to that at the end."""
    curve = attention(m, name)
    return at_the_end(m, curve) - float(curve[before_split(m)].min())


def right_to_the_end(m: Measurements) -> bool:
    return at_the_end(m, m["accuracy"]) > 0.95


# fmt: off
CLAIMS = [
    Claim("ncc", lambda m: float(ncc(m).max()), above(0.2), "",
          "In the first phase the query gives more than a fifth of its attention to itself in both layers; "
          "an even look would give a ninth.",
          Reported("minegishi2025", "section 4.2 and figure 4",
                   "bigram attention is high in both layers at the first jump", SMALLER)),
    Claim("ncc-accuracy", lambda m: float(m["accuracy"][ncc(m).argmax()] - m["ceiling_query"]), equals(0, 0.1), "",
          "Where this circuit is at its strongest, accuracy is within 0.1 of what the query alone can tell.",
          Reported("minegishi2025", "table 1", "30 to 40 % in the first phase, about 1/T", SMALLER)),
    Claim("scc", lambda m: float(scc(m)[strongest(m)]), above(0.5), "",
          "In most seeds there is a second phase: layer 1 gives more than 0.5 to labels while layer 2 gives "
          "more than 0.5 to the query itself.",
          Reported("minegishi2025", "table 1 and figure 4", "label attention in layer 1, bigram in layer 2", SMALLER),
          quorum=0.6),
    Claim("order", second_phase, at_least(500), "steps",
          "The second circuit, where it comes, stands for 500 steps or more between the first and the split.",
          Reported("minegishi2025", "section 4.1 and figure 2",
                   "three phases in this order, each with a circuit of its own", SMALLER),
          digits=3, applies=has_second),
    Claim("labels-worth", lambda m: float(m["ceiling_labels"]), above(0.667), "",
          "The query and the labels, without their items, tell the answer in two cases of three or more."),
    Claim("scc-accuracy", above_labels, equals(0, 0.15), "",
          "Where the second circuit is at its strongest, accuracy is within 0.15 of what the query and the "
          "labels can tell.",
          Reported("minegishi2025", "table 1", "about 75 % in the second phase", SMALLER),
          applies=has_second),
    Claim("rest", lambda m: longest_rest(m)[0], at_least(600), "steps",
          "With the second circuit accuracy rests within a band of 0.05 for 600 steps or more on its way from "
          "0.25 to 0.9.",
          Reported("minegishi2025", "section 4.1 and figure 2",
                   "accuracy stagnates twice, at 30 to 40 % and near 75 %", SMALLER),
          digits=3, applies=has_second),
    Claim("twin", lambda m: float(np.abs(gap(m)[before_split(m)]).mean()), below(0.03), "",
          "Until the split, moving the labels costs less than 0.03 on average.",
          Reported("minegishi2025", "section 4.3 and figure 6",
                   "random-label accuracy rises with the second circuit", SMALLER)),
    Claim("split", lambda m: at_the_end(m, gap(m)), above(0.15), "",
          "At the end it costs more than 0.15.",
          Reported("minegishi2025", "figure 6", "random-label accuracy falls again while accuracy goes to 1", SMALLER)),
    Claim("end", lambda m: at_the_end(m, m["accuracy"]), above(0.95), "",
          "At the end more than 95 answers in 100 are right.",
          Reported("minegishi2025", "table 1", "100 % in the third phase", SMALLER),
          digits=3),
    Claim("pairing", lambda m: at_the_end(m, gap(m)), above(0.1), "",
          "A seed that is right in more than 95 of 100 cases loses more than a tenth by moved labels.",
          applies=right_to_the_end),
    Claim("labels-in-2", lambda m: rise(m, "label_2"), above(0.2), "",
          "In the third phase the attention of layer 2 to labels rises by more than 0.2.",
          Reported("minegishi2025", "table 1 and figure 4",
                   "label attention in layer 2 rises in the third phase", SMALLER),
          applies=pairs),
    Claim("chunk", lambda m: rise(m, "chunk"), above(0.08), "",
          "From its lowest before the split to the end, a label's attention to its own item rises by more "
          "than 0.08.",
          Reported("minegishi2025", "section 4.2 and figure 4",
                   "chunk attention in layer 1 rises in the third phase", SMALLER),
          applies=pairs),
    Claim("absent", lambda m: float(m["network_absent"]), above(0.9), "",
          "Where the query's class is not in the context, the trained network is right in more than 90 of "
          "100 cases.",
          digits=3),
]
# fmt: on
