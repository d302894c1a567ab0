"""When the answer is not in the context, how does a network learn to use it?

Source: minegishi2025, section 3 and the section on the three phases. Here:
random maps, as in the text (the released code's are cyclic); a one-hot position of 9
slots on all tokens and no shift (the text: 65 and a shift); no W_O, as in the released
code; SGD at 0.1 with momentum 0.7 and batch 64 instead of plain SGD at 0.01 and 128;
the first layer's W_Q and W_K start at 0.8 of the usual scale. `paper` keeps the text's
numbers, but has no W_O either.

It takes some 130 core-seconds, more than the usual 120: the third phase comes late in
some seeds, and a shorter run would show them without it.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets.book import style
from snippets.book.contract import Claim, Measurements, Reported
from snippets.icl.label_map_training import Config, first_step, longest_rest, train
from snippets.icl.label_maps import Task

PRESETS = {
    "laptop": Config(n_steps=10_000),
    "paper": Config(
        Task(n_slots=65),
        first_scale=1.0,
        learning_rate=0.01,
        momentum=0.0,
        batch=128,
        n_steps=400_000,
        evaluate_every=1000,
    ),
}


def run(config: Config, seed: int) -> Measurements:
    m = train(config, seed)
    length, begin = longest_rest(m)
    there = m["accuracy"][m["step"] == begin]
    return {
        **m,
        "rest": length,
        "rest_accuracy": float(there[0]) if len(there) else np.inf,
    }


# --8<-- [start:derived]
def attention(m: Measurements, name: str) -> np.ndarray:
    """One curve: there is one head."""
    return m[name][:, 0]


def ncc(m: Measurements) -> np.ndarray:
    """How much of the non-context circuit: the query to itself, in both layers."""
    return np.minimum(attention(m, "bigram_1"), attention(m, "bigram_2"))


def scc(m: Measurements) -> np.ndarray:
    """The semi-context circuit: to the labels in layer 1, to itself in layer 2."""
    return np.minimum(attention(m, "label_1"), attention(m, "bigram_2"))


def gap(m: Measurements) -> np.ndarray:
    """What moving the labels costs."""
    return m["accuracy"] - m["accuracy_moved"]


def starts(m: Measurements) -> tuple[float, float, float]:
    """The first steps at which the query sees more of itself than of the labels in both
    layers; more of the labels in layer 1 alone, after that; and at which moving the
    labels costs a tenth. Infinity where it does not happen."""
    itself_1 = attention(m, "bigram_1") > attention(m, "label_1")
    itself_2 = attention(m, "bigram_2") > attention(m, "label_2")
    first = first_step(m, itself_1 & itself_2, 1.0)
    second = first_step(m, ~itself_1 & itself_2 & (m["step"] > first), 1.0)
    return first, second, first_step(m, gap(m), 0.1)


def shortest_phase(m: Measurements) -> float:
    """Steps in the shorter of the first two phases; below 0 if out of order."""
    first, second, third = starts(m)
    return min(second - first, third - second) if np.isfinite(third) else -np.inf


def at_height(m: Measurements, circuit: np.ndarray, curve: np.ndarray) -> float:
    """A curve at the step where a circuit is at its strongest."""
    return float(curve[circuit.argmax()])


def before_split(m: Measurements) -> np.ndarray:
    return m["step"] < starts(m)[2]


def at_the_end(m: Measurements, curve: np.ndarray) -> float:
    return float(curve[-5:].mean())


# --8<-- [end:derived]


CLAIMS = [
    Claim(
        id="order",
        says=(
            "The three phases come one after the other: each of the first two lasts "
            "200 steps or more."
        ),
        value=shortest_phase,
        holds=lambda v: v >= 200,
        unit="steps",
        digits=3,
        reported=Reported(
            "minegishi2025",
            "section on the three phases",
            "three phases in this order, each with a circuit of its own",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="ncc",
        says=(
            "In the first phase the query gives more than 0.35 of its attention to "
            "itself in both layers."
        ),
        value=lambda m: at_height(m, ncc(m), ncc(m)),
        holds=lambda v: v > 0.35,
    ),
    Claim(
        id="ncc-accuracy",
        says=(
            "Where this circuit is at its strongest, accuracy is within 0.1 of what "
            "the query alone can tell."
        ),
        value=lambda m: at_height(m, ncc(m), m["accuracy"]) - float(m["ceiling_query"]),
        holds=lambda v: abs(v) < 0.1,
        reported=Reported(
            "minegishi2025",
            "section on the three phases",
            "30 to 40 % in the first phase, about 1/T",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="scc",
        says=(
            "In the second phase layer 1 gives more than 0.5 to labels while layer 2 "
            "gives more than 0.5 to the query itself."
        ),
        value=lambda m: at_height(m, scc(m) * before_split(m), scc(m)),
        holds=lambda v: v > 0.5,
        reported=Reported(
            "minegishi2025",
            "section on the three phases",
            "label attention in layer 1, bigram in layer 2",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="twin",
        says="Until the split, moving the labels costs less than 0.04 on average.",
        value=lambda m: float(np.abs(gap(m)[before_split(m)]).mean()),
        holds=lambda v: v < 0.04,
        reported=Reported(
            "minegishi2025",
            "section on random labels",
            "random-label accuracy rises with the second circuit",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="split",
        says="At the end it costs more than 0.15.",
        value=lambda m: at_the_end(m, gap(m)),
        holds=lambda v: v > 0.15,
    ),
    Claim(
        id="end",
        says="At the end more than 94 answers in 100 are right.",
        value=lambda m: at_the_end(m, m["accuracy"]),
        holds=lambda v: v > 0.94,
        digits=3,
        reported=Reported(
            "minegishi2025",
            "section on the three phases",
            "100 % in the third phase",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="labels-in-2",
        says="At the end layer 2 gives labels more than a fifth of its attention.",
        value=lambda m: at_the_end(m, attention(m, "label_2")),
        holds=lambda v: v > 0.2,
    ),
    Claim(
        id="chunk",
        says=(
            "At the end a label gives its own item more than 0.28; an even look at the "
            "past would give 0.26."
        ),
        value=lambda m: at_the_end(m, attention(m, "chunk")),
        holds=lambda v: v > 0.28,
    ),
    Claim(
        id="rest",
        says=(
            "Accuracy rests within a band of 0.05 for 450 steps or more on its way from"
            " 0.25 to 0.9."
        ),
        value=lambda m: longest_rest(m)[0],
        holds=lambda v: v >= 450,
        unit="steps",
        digits=3,
    ),
    Claim(
        id="absent",
        says=(
            "Where the query's class is not in the context, the trained network is "
            "right in more than 94 of 100 cases."
        ),
        value=lambda m: float(m["network_absent"]),
        holds=lambda v: v > 0.94,
        digits=3,
    ),
    Claim(
        id="induction",
        says="A hand-made induction head with a memory stays below one half.",
        value=lambda m: float(m["induction"]),
        holds=lambda v: v < 0.5,
    ),
]


# --8<-- [start:draw]
def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "accuracy": draw_accuracy(runs),
        "attention": draw_attention(runs),
        "endings": draw_endings(runs),
    }


# --8<-- [end:draw]


def draw_accuracy(runs: list[Measurements]) -> Figure:
    """Accuracy and its twin for every seed, against the three ceilings."""
    figure, axes = style.panels(2, height=2.6, sharex=True)
    top, bottom = axes[:, 0]
    x = runs[0]["step"]
    for number, m in enumerate(runs):
        top.plot(x, m["accuracy"], linewidth=1.2, label=f"seed {number}")
    for name, text in (("query", "query alone"), ("labels", "query and labels")):
        level = float(np.median([m[f"ceiling_{name}"] for m in runs]))
        style.level(top, level, text)
    top.set(ylabel="accuracy", ylim=(0, 1.04))
    top.legend(loc="lower right", ncols=3, columnspacing=1, fontsize=8.5)
    curves = (("accuracy", "as they are"), ("accuracy_moved", "labels moved"))
    for index, (name, label) in enumerate(curves):
        style.seeds_and_median(bottom, x, [m[name] for m in runs], index, label)
    bottom.set(xlabel="training step", ylabel="accuracy", ylim=(0, 1.04))
    bottom.legend(loc="lower right")
    return figure


CURVES = (  # colour, name, label
    (0, "bigram", "itself"),
    (1, "label", "labels"),
    (2, "chunk", "a label to its item"),
)


def draw_attention(runs: list[Measurements]) -> Figure:
    """Where the query looks, in both layers."""
    figure, axes = style.panels(2, height=2.5, sharex=True)
    for layer, ax in enumerate(axes[:, 0], start=1):
        for index, name, label in CURVES:
            key = name if name == "chunk" else f"{name}_{layer}"
            if key in runs[0]:
                ys = [attention(m, key) for m in runs]
                if name != "chunk" or layer == 1:
                    line = {"linestyle": "--"} if name == "chunk" else {}
                    style.seeds_and_median(
                        ax, runs[0]["step"], ys, index, label, **line
                    )
        ax.set(ylabel=f"layer {layer}: attention", ylim=(-0.02, 1.04))
    axes[0, 0].legend(loc="upper right", ncols=3, fontsize=8, columnspacing=1)
    axes[1, 0].set_xlabel("training step")
    return figure


def draw_endings(runs: list[Measurements]) -> Figure:
    """Where the query looks at the end, seed by seed."""
    figure, axes = style.panels(1, 2, height=2.4, sharey=True)
    seeds = np.arange(len(runs))
    for layer, ax in enumerate(axes[0], start=1):
        draw_bars(ax, seeds, runs, layer)
        ax.set(title=f"layer {layer}", xlim=(0, 1), xlabel="attention")
    axes[0, 0].set_yticks(seeds, [f"seed {s}" for s in seeds])
    axes[0, 0].invert_yaxis()
    axes[0, 1].legend(loc="lower left", bbox_to_anchor=(-0.9, 1.1), ncols=3, fontsize=8)
    return figure


def draw_bars(
    ax: Axes, seeds: np.ndarray, runs: list[Measurements], layer: int
) -> None:
    left = np.zeros(len(runs))
    for index, name, label in CURVES[:2]:
        part = [at_the_end(m, attention(m, f"{name}_{layer}")) for m in runs]
        ax.barh(seeds, part, left=left, color=style.colour(index), label=label)
        left += part
    ax.barh(seeds, 1 - left, left=left, color=style.colour(6), label="items", alpha=0.5)
