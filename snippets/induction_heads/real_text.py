"""Does the induction bump show on text that nobody made for the purpose?

Networks of attention alone read real text, word by word, for one to two million words.
Five for each seed. Code, half of whose windows come round again (a device): two layers,
and one. Code as it is: two layers, and two of which the first begins by looking one word
back (another device). A novel as it is, with that start.

Source: olsson2022, argument 1 (phase change, ICL score, derivatives, per-token losses)
and key concepts (ICL score, prefix matching). There: 2**16 tokens, contexts of 8,192,
widths of 768, ten billion tokens of training. Ours: 256 words, contexts of 128, width 64,
at most 1.6 million words. So there is no `paper` preset: its data are not ours to have.
It takes some 570 core-seconds over five seeds, an exception that is declared.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import (
    INCONCLUSIVE,
    Claim,
    Measurements,
    Reported,
    above,
    at_most,
    below,
    between,
)
from snippets.icl.measures import (
    icl_score,
    prefix_matching,
    previous_token,
    random_repeats,
)
from snippets.icl.networks.text_transformer import TextTransformer, losses
from snippets.icl.streams import streams
from snippets.icl.tasks.words import Windows, Words, words
from snippets.icl.theory.copier import bigram_table
from snippets.icl.theory.curves import half_way, quickens
from snippets.icl.training.text_training import TextTraining, train


@dataclass(frozen=True)
class Config(TextTraining):
    evaluate_every: int = 20
    n_test: int = 128  # held-out windows


PRESETS = {
    "laptop": {
        "device": Config(shown_again=8),
        "one-layer": Config(shown_again=8, n_layers=1),
        "natural": Config(n_steps=700),
        "nudged": Config(look_back=5.0, n_steps=700),
        "novel": Config(look_back=5.0, corpus="novel", n_steps=500),
    }
}

EARLY, LATE = slice(8, 16), slice(96, 128)  # places that the ICL score compares
EDGES = (0, 2, 4, 8, 16, 32, 64, 128)  # of bins of places


class Exam:
    """Held-out windows; halves of them, twice; and random words eight times."""

    def __init__(self, text: Words, c: Config, generator: Generator) -> None:
        self.text = Windows(text.held_out, c.context + 1).draw(c.n_test, generator)
        table = bigram_table(text.trained, c.n_vocab)
        self.by_table = -table[self.text[:, :-1], self.text[:, 1:]].log()
        half = c.context // 2
        self.twice = self.text[: c.n_test // 2, :half].repeat(1, 2)
        self.random = random_repeats(c.n_vocab, 16, c.context // 16, 16, generator)
        # one word of each window, beyond its first quarter: for losses word by word
        places = torch.randint(half // 2, c.context, (c.n_test,), generator=generator)
        self.one_each = places[:, None]


def binned(loss: Float[Tensor, "window place"]) -> np.ndarray:
    """Mean loss of the places in each bin."""
    bins = pairwise(EDGES)
    return np.array([loss[:, a:b].mean().item() for a, b in bins], np.float32)


# --8<-- [start:look]
@torch.no_grad()
def look(network: TextTransformer, exam: Exam) -> dict[str, np.ndarray]:
    loss = losses(network, exam.text)  # (window, place)
    again = losses(network, exam.twice)  # (window, 2 * half - 1)
    half = exam.twice.shape[1] // 2
    patterns = network.patterns(exam.random)
    best = [float(prefix_matching(p, exam.random).max()) for p in patterns]
    return {
        "validation": loss.mean().numpy(),
        "icl": icl_score(loss, EARLY, LATE).numpy(),
        # the same words at the first reading and at the second, without the first 8
        "first": again[:, 7 : half - 1].mean().numpy(),
        "second": again[:, half + 7 :].mean().numpy(),
        "prefix": np.array(max(best)),
        "previous": np.array(float(previous_token(patterns[0]).max())),
        "by_place": binned(loss - exam.by_table),
        "one_each": loss.gather(1, exam.one_each)[:, 0].half().numpy(),
    }


# --8<-- [end:look]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    c, (weights, data, held_out) = config, streams(seed, 3)
    text = words(c.corpus, c.n_vocab)
    exam = Exam(text, c, held_out)
    shape = (c.n_layers, c.n_vocab, c.context, c.d_model, c.n_heads)
    network = TextTransformer(*shape, weights, c.look_back)
    trained = Windows(text.trained, c.context + 1)
    history, seen = [], []
    for step, natural, shown in train(network, trained, c, data):
        seen.append((natural, shown))
        if step % c.evaluate_every == 0:
            train_loss = np.mean(seen[-c.evaluate_every :], 0)
            now = {"step": np.array(step), "training": train_loss}
            history.append(now | look(network, exam))
    curves = {name: np.stack([h[name] for h in history]) for name in history[0]}
    curves["one_each"] = curves["one_each"][::3]  # the record is small
    return {
        name: value.astype(np.float32) if value.dtype == np.float64 else value
        for name, value in curves.items()
    } | {
        "table_icl": float(icl_score(exam.by_table, EARLY, LATE)),
        "table_loss": float(exam.by_table.mean()),
        "n_trained": sum(len(row) for row in text.trained),
        "n_parameters": sum(p.numel() for p in network.parameters()),
    }


# --8<-- [end:run]
def twice_read(m: Measurements) -> np.ndarray:
    """What a second reading adds to the loss on the same words: below zero, it helps."""
    return m["second"] - m["first"]


def own_score(m: Measurements) -> np.ndarray:
    """The ICL score less that of the table on the same words."""
    return m["icl"] - m["table_icl"]


def reaches(m: Measurements, level: float) -> float:
    """The first step at which prefix matching is at or over a level, or infinity."""
    over = m["step"][m["prefix"] >= level]
    return float(over[0]) if len(over) else np.inf


def apart(m: Measurements) -> float:
    """Steps between the half-way marks of prefix matching and of the second reading."""
    one = m["device"]
    gain, prefix = twice_read(one), one["prefix"]
    return abs(half_way(one["step"], prefix) - half_way(one["step"], gain))


def derivative(m: Measurements) -> np.ndarray:
    """d loss / d ln(place) between neighbouring bins of places, the table's taken off.
    (look, edge between bins)"""
    return np.diff(m["by_place"], axis=1) / np.log(2)


def late_slope(m: Measurements) -> np.ndarray:
    """Mean of that over places beyond the eighth. (look,)"""
    return derivative(m)[:, 3:].mean(1)


def paths(m: Measurements, cells: Sequence[str]) -> dict[str, np.ndarray]:
    """Per-token losses of all looks of some cells, on the two directions in which they
    differ most. (look, 2) for each cell"""
    losses_of = [m[cell]["one_each"].astype(float) for cell in cells]
    every = np.concatenate([one[1:] for one in losses_of])
    axes = np.linalg.svd(every - every.mean(0), full_matrices=False)[2][:2]
    return {cell: (one - every.mean(0)) @ axes.T for cell, one in zip(cells, losses_of)}


def turn(m: Measurements, cell: str) -> tuple[float, float]:
    """In the plane of `paths`, of two layers and one: the cosine between a cell's way
    from step 120 to the onset and its way after, and how long the latter is."""
    path, step = paths(m, ("device", "one-layer"))[cell], m[cell]["step"][::3]
    at = [int(np.abs(step - moment).argmin()) for moment in (120, onset(m))]
    before, after = path[at[1]] - path[at[0]], path[-1] - path[at[1]]
    lengths = np.linalg.norm(before), np.linalg.norm(after)
    return float(before @ after / lengths[0] / lengths[1]), float(lengths[1])


def end(
    cell: str, curve: Callable[[Measurements], np.ndarray]
) -> Callable[[Measurements], float]:
    """A curve's mean over the last three looks."""
    return lambda m: float(curve(m[cell])[-3:].mean())


def prefix(m: Measurements) -> np.ndarray:
    return m["prefix"]


def plain(m: Measurements) -> np.ndarray:
    """The loss on held-out text as it is."""
    return m["validation"]


def early(m: Measurements) -> np.ndarray:
    """The loss at places 9 to 16, the table's taken off."""
    return m["by_place"][:, EDGES.index(8)]


def onset(m: Measurements) -> float:
    return reaches(m["device"], 0.15)


def rise(m: Measurements) -> float:
    """How long the head takes to form, as a share of the time before."""
    return (reaches(m["device"], 0.6) - onset(m)) / onset(m)


def has_come(m: Measurements) -> bool:
    return bool(np.isfinite(rise(m)))


def slope_before(m: Measurements) -> float:
    """The slope over late places, on average from step 200 to the onset."""
    one = m["device"]
    waiting = (one["step"] >= 200) & (one["step"] < onset(m))
    return float(late_slope(one)[waiting].mean())


# fmt: off
CLAIMS = [
    Claim("head", end("device", prefix), above(0.6), "of the attention",
          "With the device two layers end with a head whose prefix matching is above 0.6."),
    Claim("one-layer", lambda m: float(m["one-layer"]["prefix"].max()), below(0.15), "of the attention",
          "One layer, with the same device and steps, never has a head above 0.15."),
    Claim("onset", onset, between(250, 650), "steps",
          "The best head's prefix matching first reaches 0.15 after step 250 and before step 650.", digits=3),
    Claim("rise", rise, below(0.7), "of the time before",
          "From 0.15 to 0.6 takes less than 0.7 of the time before.", applies=has_come),
    Claim("second", end("device", twice_read), below(-1), "nats",
          "A second reading then makes the same held-out words easier by more than a nat."),
    Claim("one-second", end("one-layer", twice_read), above(-0.3), "nats",
          "For one layer a second reading makes them easier by less than 0.3 nats."),
    Claim("together", apart, at_most(100), "steps",
          "Prefix matching and the gain of a second reading are half way within 100 steps of each other.",
          applies=has_come),
    Claim("score", end("device", own_score), below(-0.2), "nats",
          "On held-out code as it is, the ICL score ends below -0.2 nats, the table's taken off."),
    Claim("score-one", lambda m: end("one-layer", own_score)(m) - end("device", own_score)(m), above(0.1), "nats",
          "That of one layer ends more than 0.1 nats nearer to zero or above."),
    Claim("one-own-score", end("one-layer", own_score), between(-0.2, 0.1), "nats",
          "That of one layer ends between -0.2 and 0.1 nats."),
    Claim("flat", slope_before, between(-0.1, 0.1), "nats",
          "While two layers wait, the loss beyond the eighth place changes by less than 0.1 nats for each factor e "
          "of places, the table's taken off.", applies=has_come),
    Claim("slopes", lambda m: end("device", late_slope)(m) - slope_before(m), below(-0.08), "nats",
          "At the end that slope has gone down by more than 0.08 nats.", applies=has_come),
    Claim("bends", lambda m: quickens(m["device"]["second"]) - quickens(m["one-layer"]["second"]), above(0.05), "nats",
          "The loss of the second reading bends: over some 80 steps it falls more than 0.05 nats faster than over the "
          "80 before, beyond what one layer shows."),
    Claim("no-bump", lambda m: quickens(m["device"]["validation"]), below(0.1), "nats",
          "The loss on held-out code as it is shows no such bend: it nowhere falls 0.1 nats faster. To say whether "
          "text as it is bends the loss would take a network that grows the head without a device, and less noise.",
          Reported("olsson2022", "argument 1", "a bump in the training loss, the only place where it is not convex",
                   INCONCLUSIVE)),
    Claim("bend-alike", lambda m: quickens(m["device"]["validation"]) - quickens(m["one-layer"]["validation"]),
          between(-0.05, 0.05), "nats",
          "There the sharpest bends of two layers and of one, which has no head, differ by less than 0.05 nats."),
    Claim("plain-gain", lambda m: end("device", plain)(m) - end("one-layer", plain)(m), between(-0.15, 0), "nats",
          "On held-out code as it is the loss of two layers ends below that of one, by less than 0.15 nats."),
    Claim("early-dearer", lambda m: end("device", early)(m) - end("one-layer", early)(m), above(0.05), "nats",
          "There, at places 9 to 16, with which the ICL score begins, two layers end above one."),
    Claim("turn", lambda m: turn(m, "device")[0], below(0.8), "",
          "In the plane of two components the losses of two layers, word by word, turn at the onset: the cosine "
          "between their ways before and after is below 0.8.", applies=has_come),
    Claim("goes-on", lambda m: turn(m, "device")[1] / turn(m, "one-layer")[1], above(2), "times as far",
          "After the onset their path goes on more than twice as far as one layer's.", applies=has_come),
    Claim("natural", end("natural", prefix), below(0.25), "of the attention",
          "Without any device no head is above 0.25 when training ends, after 1.4 million words. To say whether it "
          "would come at once or creep on would take some ten times as many.",
          Reported("olsson2022", "argument 1", "induction heads form abruptly on text as it is", INCONCLUSIVE)),
    Claim("natural-second", end("natural", twice_read), between(-0.35, -0.02), "nats",
          "A second reading helps it all the same, by less than 0.35 nats."),
    Claim("nudged", lambda m: end("nudged", prefix)(m) - end("natural", prefix)(m), above(0.05), "of the attention",
          "On the same text, a start one word back leads to prefix matching more than 0.05 higher at the end."),
    Claim("nudged-second", end("nudged", twice_read), below(-0.12), "nats",
          "There a second reading makes the same words easier by more than 0.12 nats."),
    Claim("novel", end("novel", prefix), below(0.12), "of the attention",
          "On the novel, with the same start, no head is above 0.12 when training ends."),
    Claim("novel-second", end("novel", twice_read), above(-0.1), "nats",
          "A second reading of the novel helps it by less than 0.1 nats."),
]
