"""How fast does the mean of n draws settle? (Your question here, in one paragraph.)

Source: none, a textbook law. (Key in docs/references.bib, figure or section; what differs.)
"""

from dataclasses import dataclass

import numpy as np
import torch

from snippets.contract import Claim, Measurements, between
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    largest: int = 1024  # draws in the longest sample
    repeats: int = 2000  # samples of each length


PRESETS = {"laptop": Config()}


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    generator = torch.Generator().manual_seed(seed)
    sizes = 2 ** np.arange(int(np.log2(config.largest)) + 1)
    errors = []
    for i in steps(len(sizes)):
        draws = torch.randn(config.repeats, int(sizes[i]), generator=generator)
        errors.append(draws.mean(1).square().mean().sqrt().item())  # root of the mean squared error
    return {"size": sizes, "error": np.array(errors)}


# --8<-- [end:run]


def slope(m: Measurements) -> float:
    """The exponent of the power law that fits best."""
    return float(np.polyfit(np.log(m["size"]), np.log(m["error"]), 1)[0])


CLAIMS = [
    Claim("square-root", slope, between(-0.55, -0.45), "",
          "The error falls with the number of draws to the power of minus a half."),
]  # fmt: skip
