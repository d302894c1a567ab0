"""How do the loss and the ICL score of a small language model change with its size, and
with the amount of text?

Source: kaplan2020 (abstract) for power laws in size and in data, over seven orders of
magnitude; hoffmann2022 (abstract) for sizes and data that grow together. Ours: 10 thousand
to half a million weights, a hundred thousand tokens of training and one rate of learning
in every cell, so the larger ones are far from trained out.
"""

from dataclasses import dataclass

import numpy as np
import torch

from snippets.contract import (
    INCONCLUSIVE,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    between,
)
from snippets.icl.networks.language_model import losses
from snippets.icl.streams import streams
from snippets.icl.tasks.byte_pairs import cut, tokenised, windows
from snippets.icl.theory.power_law import bend, power_law, with_floor
from snippets.icl.training.pretraining import (
    Pretraining,
    new_model,
    pretrain,
    with_context,
)


@dataclass(frozen=True)
class Config(Pretraining):
    n_steps: int = 200
    evaluate_every: int = 50
    n_watch: int = 64  # windows for the loss on the way
    n_targets: int = 2048


PRESETS = {
    "laptop": {
        "d8": Config(d_model=8, n_heads=1),
        "d16": Config(d_model=16, n_heads=1),
        "d32": Config(d_model=32, n_heads=2),
        "d64": Config(),
        "d128": Config(d_model=128, n_heads=8),
        "t64": Config(share=1 / 64),  # of the text, for d_model = 64
        "t16": Config(share=1 / 16),
        "t4": Config(share=1 / 4),
    }
}
SIZES = ("d8", "d16", "d32", "d64", "d128")
TEXTS = ("t64", "t16", "t4", "d64")


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, watching = streams(seed, 3)
    c = config
    _, text, held_out = tokenised(c.corpus, c.n_vocab)
    text = text[: int(c.share * len(text))]
    model = new_model(c, weights)
    kept = cut(held_out, c.context + 1, c.n_watch)
    seen = windows(text, c.context + 1, c.n_watch, watching)
    history = []
    for step in pretrain(model, text, c, data):
        if step % c.evaluate_every == 0:
            with torch.no_grad():
                history.append(
                    (step, *(losses(model, w).mean().item() for w in (kept, seen)))
                )
    targets = range(c.context, c.context + c.n_targets)
    far = with_context(model, held_out, targets, c.context, 16)
    near = with_context(model, held_out, targets, 16, 1)[12]  # 13 tokens before
    step, on_kept, on_seen = np.array(history).T
    return {
        "step": step,
        "kept": on_kept,
        "seen": on_seen,
        "loss": far.mean().item(),
        "score": (far[-1].mean() - near.mean()).item(),
        "score_error": ((far[-1] - near).std() / c.n_targets**0.5).item(),
        "n_text": len(text),
        "n_parameters": sum(p.numel() for p in model.parameters()),
    }


# --8<-- [end:run]


def of(m: Measurements, cells: tuple[str, ...], name: str) -> np.ndarray:
    """One measurement of several cells."""
    return np.array([m[cell][name] for cell in cells], dtype=float)


def exponent(m: Measurements) -> float:
    return power_law(of(m, SIZES, "n_parameters"), of(m, SIZES, "loss")).b


def curvature(m: Measurements) -> float:
    """The exponent of the three largest models minus that of the three smallest."""
    return bend(of(m, SIZES, "n_parameters"), of(m, SIZES, "loss"))


def floor(m: Measurements) -> float:
    """The loss that no size goes below, if the law has a floor."""
    return with_floor(of(m, SIZES, "n_parameters"), of(m, SIZES, "loss")).c


def least_drop(m: Measurements) -> float:
    """What the least helpful step to a larger model takes off the loss."""
    return float(-np.diff(of(m, SIZES, "loss")).max())


def overfit(m: Measurements) -> float:
    """Held-out loss at the end, above its least on the way."""
    kept = m["t64"]["kept"]
    return float(kept[-1] - kept.min())


# fmt: off
CLAIMS = [
    Claim("larger", least_drop, above(0), "nats",
          "Each larger model has a lower loss than the one before."),
    Claim("exponent", exponent, between(0.03, 0.08), "",
          "A straight line through the logarithms falls as the number of weights to the power 0.03 to 0.08. For the "
          "law of trained-out models each size would have to be trained until it gains no more.",
          Reported("kaplan2020", "abstract", "the loss is a power law in the number of weights", INCONCLUSIVE)),
    Claim("bends", curvature, below(-0.01), "",
          "The line bends: from the middle size up the exponent is smaller than below it, by more than 0.01."),
    Claim("floor", floor, between(3.7, 4.1), "nats",
          "A power law with a floor, fitted to the five sizes, has its floor between 3.7 and 4.1 nats.",
          digits=3),
    Claim("overfits", overfit, above(0.1), "nats",
          "With a sixty-fourth of the text the held-out loss ends more than 0.1 nats above its least."),
    Claim("memorises", lambda m: float(m["t64"]["kept"][-1] - m["t64"]["seen"][-1]), above(1), "nats",
          "There the loss on text that was trained on is more than a nat below that on held-out text."),
    Claim("more-text", lambda m: m["t64"]["loss"] - m["d64"]["loss"], above(0.3), "nats",
          "With all the text instead of a sixty-fourth the loss is more than 0.3 nats lower."),
    Claim("enough-text", lambda m: abs(m["t4"]["loss"] - m["d64"]["loss"]), below(0.15), "nats",
          "Between a quarter of the text and all of it lie less than 0.15 nats."),
    Claim("no-score", lambda m: float(np.abs(of(m, SIZES, "score")).max()), below(0.04), "nats",
          "At none of the five sizes is the ICL score further than 0.04 nats from zero: there is nothing to put a "
          "power law through. It would take models that have learned to use more than the last few tokens."),
]
# fmt: on
