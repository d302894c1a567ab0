"""Does the wait shrink with a bigger batch, a higher learning rate, a bigger network?

Networks of *The jump* on new classes alone, N = 4, L = 16, until they are right in half
of the prompts: three learning rates by four sizes of batch, then the classifier's width
and the number of dimensions, one at a time.

Source: the questions are aoyama2025's (abstract: batch size and context size predict the
point of emergence, agnostic to model size), who ask it of language models on text. Task,
network and measure are ours, and so is what is found.

Cost: up to 240 core-seconds instead of 120. Seventeen settings are trained.
"""

import numpy as np

from snippets.contract import Claim, Measurements, above, below, between
from snippets.icl.training.first_passage import cell, exponent, wait_of
from snippets.icl.training.to_the_jump import Training

BATCHES = (16, 32, 64, 128)
RATES = {"eighth": 0.125, "quarter": 0.25, "half": 0.5}
WIDTHS = (32, 64, 128, 256)  # of the classifier's hidden layers
DIMENSIONS = (16, 32, 64)  # of an item, and so of the attention matrices

# --8<-- [start:presets]
PRESETS = {
    "laptop": {
        "eighth-b16": cell(4, 16, 12_000, 0.125),
        "eighth-b32": cell(4, 32, 12_000, 0.125),
        "eighth-b64": cell(4, 64, 12_000, 0.125),
        "eighth-b128": cell(4, 128, 12_000, 0.125),
        "quarter-b16": cell(4, 16, 6000, 0.25),
        "quarter-b32": cell(4, 32, 6000, 0.25),
        "quarter-b64": cell(4, 64, 6000, 0.25),
        "quarter-b128": cell(4, 128, 6000, 0.25),
        "half-b16": cell(4, 16, 3000, 0.5),
        "half-b32": cell(4, 32, 3000, 0.5),
        "half-b64": cell(4, 64, 3000, 0.5),
        "half-b128": cell(4, 128, 3000, 0.5),
        # a rate of 0.5, batches of 32; the usual width is 64, the usual dimensions 32
        "w32": cell(4, 32, 3000, width=32),
        "w128": cell(4, 32, 3000, width=128),
        "w256": cell(4, 32, 3000, width=256),
        "d16": cell(4, 32, 3000, d_item=16),
        "d64": cell(4, 32, 3000, d_item=64),
    }
}
# --8<-- [end:presets]


# --8<-- [start:run]
def run(config: Training, seed: int) -> Measurements:
    parameters = attention = (
        3 * 2 * config.task.d_model**2
    )  # W_Q, W_K, W_V of two layers
    parameters += config.width * (
        config.task.d_model + 2 * config.width + config.task.n_labels
    )
    return wait_of(config, seed) | {
        "n_parameters": parameters,
        "n_attention": attention,
    }


# --8<-- [end:run]


def grid(m: Measurements, name: str = "wait") -> np.ndarray:
    """(rate, batch): one number of each cell."""
    return np.array(
        [[float(m[f"{rate}-b{batch}"][name]) for batch in BATCHES] for rate in RATES]
    )


# --8<-- [start:time]
def times(m: Measurements) -> np.ndarray:
    """(rate, batch): rate x steps, the time of a flow."""
    return grid(m) * np.array(list(RATES.values()))[:, None]


def alike(m: Measurements) -> float:
    """Three cells with the same rate / batch: the longest time over the shortest."""
    same = times(m)[[0, 1, 2], [1, 2, 3]]  # 1/8 and 32, 1/4 and 64, 1/2 and 128
    return float(same.max() / same.min())


# --8<-- [end:time]


def unlike(m: Measurements) -> float:
    """The time with the largest rate / batch over that with the least."""
    return float(times(m)[-1, 0] / times(m)[0, -1])


def by_width(m: Measurements) -> np.ndarray:
    cells = {64: "half-b32"}
    return np.array([float(m[cells.get(w, f"w{w}")]["wait"]) for w in WIDTHS])


def by_dimensions(m: Measurements) -> np.ndarray:
    cells = {32: "half-b32"}
    return np.array([float(m[cells.get(d, f"d{d}")]["wait"]) for d in DIMENSIONS])


# fmt: off
CLAIMS = [
    Claim("batch-steps", lambda m: exponent(np.array(BATCHES), grid(m)[-1]), between(-0.8, -0.15), "",
          "At a rate of 1/2 the wait in steps goes as the batch to a power between -0.8 and -0.15."),
    Claim("batch-prompts", lambda m: float(grid(m, "prompts")[-1, -1] / grid(m, "prompts")[-1, 0]), above(1.5),
          "times as many prompts",
          "At that rate batches of 128 read over 1.5 times as many prompts as batches of 16; a run of 16 that never "
          "comes to one half counts as 0."),
    Claim("calm-steps", lambda m: exponent(np.array(BATCHES), grid(m)[0]), between(-0.4, -0.05), "",
          "At a rate of 1/8 that power is between -0.4 and -0.05."),
    Claim("half-rate", lambda m: float(grid(m)[1, 1] / grid(m)[2, 1]), between(1.1, 1.95), "times the steps",
          "With batches of 32, a rate of 1/4 takes 1.1 to 1.95 times the steps of a rate of 1/2."),
    Claim("half-rate-calm", lambda m: float(grid(m)[0, 3] / grid(m)[1, 3]), between(1.4, 2.1), "times the steps",
          "With batches of 128, a rate of 1/8 takes 1.4 to 2.1 times the steps of a rate of 1/4."),
    Claim("alike", alike, below(1.45), "",
          "Three settings with the same rate / batch need the same rate x steps, within a factor of 1.45."),
    Claim("unlike", unlike, above(1.8), "times",
          "Rate x steps is over 1.8 times as large at the largest rate / batch as at the least; a run that never comes "
          "to one half counts as larger."),
    Claim("falls-back", lambda m: float(m["half-b16"]["accuracy"][-1]), below(0.5), "",
          "With the largest rate / batch the network is right in less than half of the prompts when its run ends."),
    Claim("width", lambda m: float(by_width(m)[-1] / by_width(m)[0]), between(0.4, 1), "of the wait",
          "A classifier eight times as wide takes 0.4 to 1 times the wait."),
    Claim("dimensions", lambda m: float(by_dimensions(m)[-1] / by_dimensions(m)[0]), between(0.9, 2), "of the wait",
          "Four times as many dimensions take 0.9 to 2 times the wait."),
]
# fmt: on
