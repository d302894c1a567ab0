"""Which real text repeats itself enough for an induction head to be of use?

No network is trained. An exact rule looks for the longest earlier match in the window
and guesses what came next there; mixed with a table of bigrams it is a guesser whose
loss can be read place by place. What it gains is what an induction head is worth.

Source: the ICL score is olsson2022's (key concepts); the rule and its mixture with a
table are ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from torch import Tensor

from snippets.contract import Claim, Measurements, above, below, between
from snippets.icl.measures import icl_score
from snippets.icl.streams import streams
from snippets.icl.tasks.words import Windows, words
from snippets.icl.theory.copier import (
    bigram_table,
    copier_loss,
    guesses,
    trust,
)


@dataclass(frozen=True)
class Config:
    corpora: tuple[str, ...] = ("novel", "speeches", "code")
    n_vocab: int = 256
    contexts: tuple[int, ...] = (128, 512)  # words; the first is that of the networks
    n_words: int = 131_072  # of windows to fit on, and as many to measure on
    n_exact: int = 65_536  # a vocabulary in which hardly two words share a number


PRESETS = {"laptop": Config()}

EARLY, LATE = slice(8, 16), slice(96, 128)  # places that the ICL score compares
EDGES = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)


def binned(loss: Float[Tensor, "window place"]) -> np.ndarray:
    """Mean loss of the places in each bin, as far as the window goes."""
    bins = pairwise(EDGES)
    return np.array([loss[:, a:b].mean() for a, b in bins if b <= loss.shape[1]])


# --8<-- [start:measure]
def measure(
    fitted_on: Tensor, held_out: Tensor, table: Float[Tensor, "before after"]
) -> dict[str, np.ndarray]:
    """The rule on held-out windows: how often it is right, and its loss when it is mixed
    with the table, trusting matches as far as they deserved it in the trained text."""
    by_table = table[held_out[:, :-1], held_out[:, 1:]]
    shares = trust(guesses(fitted_on), table[fitted_on[:, :-1], fitted_on[:, 1:]])
    found = guesses(held_out)
    mixed = copier_loss(found, by_table, shares[found.agree])
    alone = -by_table.log()
    n_agree = range(len(shares))
    return {
        "right": found.right.double().mean().numpy(),
        "reliable": np.array(
            [
                found.right[found.agree == m].double().mean().nan_to_num()
                for m in n_agree
            ]
        ),
        "table_right": (table.argmax(1)[held_out[:, :-1]] == held_out[:, 1:])
        .double()
        .mean()
        .numpy(),
        "table_loss": alone.mean().numpy(),
        "loss": mixed.mean().numpy(),
        "table_score": icl_score(alone, EARLY, LATE).numpy(),
        "score": icl_score(mixed, EARLY, LATE).numpy(),
        "table_by_place": binned(alone),
        "by_place": binned(mixed),
    }


# --8<-- [end:measure]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    fit, test = streams(seed, 2)
    found = {}
    for name in config.corpora:
        text = words(name, config.n_vocab)
        table = bigram_table(text.trained, config.n_vocab)
        for context in config.contexts:
            n = config.n_words // context
            fitted_on = Windows(text.trained, context + 1).draw(n, fit)
            held_out = Windows(text.held_out, context + 1).draw(n, test)
            for key, value in measure(fitted_on, held_out, table).items():
                found[f"{name}_{context}_{key}"] = value
        exact = Windows(words(name, config.n_exact).held_out, config.contexts[0] + 1)
        right = guesses(exact.draw(config.n_words // config.contexts[0], test)).right
        found[f"{name}_exact_right"] = right.double().mean().item()  # type: ignore
    return found


# --8<-- [end:run]


def own_score(m: Measurements, name: str) -> float:
    """The copier's ICL score less that of the table alone, on the same words."""
    return float(m[f"{name}_128_score"] - m[f"{name}_128_table_score"])


def gain(m: Measurements, name: str, context: int = 128) -> float:
    """What the rule takes off the table's loss, in nats a word."""
    return float(m[f"{name}_{context}_table_loss"] - m[f"{name}_{context}_loss"])


def three_against_one(m: Measurements) -> float:
    """On code: how often the rule is right when three words agree, less when one does."""
    reliable = m["code_128_reliable"]
    return float(reliable[3] - reliable[1])


def right(name: str) -> Callable[[Measurements], float]:
    return lambda m: float(m[f"{name}_128_right"])


# fmt: off
CLAIMS = [
    Claim("code-right", right("code"), above(0.2), "",
          "On code the rule names more than one word in five."),
    Claim("novel-right", right("novel"), below(0.06), "",
          "On the novel it names fewer than six words in a hundred."),
    Claim("speeches-right", right("speeches"), below(0.06), "",
          "On the speeches it names fewer than six words in a hundred."),
    Claim("exact-words", lambda m: max(m["novel_exact_right"], m["speeches_exact_right"]), below(0.08), "",
          "With a number for each word, too, it names fewer than eight in a hundred words of either prose."),
    Claim("code-gain", lambda m: gain(m, "code"), above(0.3), "nats",
          "On code the rule takes more than 0.3 nats a word off the table's loss, in windows of 128 words."),
    Claim("novel-gain", lambda m: gain(m, "novel"), between(0, 0.06), "nats",
          "On the novel it takes something off, and less than 0.06 nats."),
    Claim("speeches-gain", lambda m: gain(m, "speeches"), between(0, 0.06), "nats",
          "On the speeches it takes something off, and less than 0.06 nats."),
    Claim("ratio", lambda m: gain(m, "code") / gain(m, "novel"), above(8), "times as much",
          "It takes more than eight times as much off on code as on the novel."),
    Claim("code-score", lambda m: own_score(m, "code"), below(-0.3), "nats",
          "On code the rule has an ICL score below -0.3 nats, the table's taken off."),
    Claim("novel-score", lambda m: own_score(m, "novel"), between(-0.08, 0), "nats",
          "On the novel its score is below zero, by less than 0.08 nats."),
    Claim("three-words", three_against_one, above(0.25), "of the guesses",
          "On code it is right more often by a quarter of all guesses when three words agree than when one does."),
    Claim("code-further", lambda m: gain(m, "code", 512) - gain(m, "code"), above(0.05), "nats",
          "In windows of 512 words of code the rule gains over 0.05 nats more."),
    Claim("novel-further", lambda m: gain(m, "novel", 512) - gain(m, "novel"), below(0.04), "nats",
          "In windows of 512 words of the novel it gains less than 0.04 nats more."),
]
# fmt: on
