"""Why is descent on a product of three parts late, and what does it gain by having one of
them given?

Source: singh2024, figure 5a, by the released code (simple_model_solver.py): a tensor of
rank one, three vectors of 20 normal entries, gradient descent. There: one seed, a start
as large as the truth, rate 1. Here: starts of several sizes and a rate of 4, or
0.5 where factors are clamped; waits are given in units of rate x steps.
"""

from dataclasses import dataclass

import numpy as np
import torch

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    between,
)
from snippets.icl.streams import streams
from snippets.icl.theory.factors import (
    descend,
    draw,
    flow,
    free_factors,
    loss,
    waiting_time,
)

CLAMPS = ("", "c", "bc")  # what is put to the truth: nothing, one factor, two


@dataclass(frozen=True)
class Config:
    dim: int = 20
    starts: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03)  # standard deviations
    rates: tuple[float, ...] = (4.0, 0.5, 0.5)  # one for each clamp
    n_steps: tuple[int, ...] = (16_000, 3000, 3000)
    n_exact: int = 600  # steps of the flow by which the formulas are checked


PRESETS = {
    "laptop": Config(),
    "paper": Config(starts=(1.0,), rates=(1.0,) * 3, n_steps=(1000,) * 3),
}


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    truths, starts, exact = streams(seed, 3)
    truth, direction = draw(config.dim, truths), draw(config.dim, starts)
    sizes = torch.tensor(config.starts, dtype=torch.float64)
    v, zero = sizes[:, None, None] * direction, torch.zeros_like(truth)
    curves, times = {}, []
    for clamp, rate, n_steps in zip(CLAMPS, config.rates, config.n_steps):
        losses, _ = descend(v, truth, free_factors(clamp), rate, n_steps)
        share = losses / loss(zero, truth)  # of the loss at zero: (step, start)
        times.append([time_below(share, level, rate) for level in (0.95, 0.5)])
        # what is drawn: moments closer at the start
        moments = np.unique(np.geomspace(1, n_steps, 150).astype(int)) - 1
        name = clamp or "none"
        curves[f"time_{name}"] = rate * moments
        curves[f"loss_{name}"] = share[moments].T.numpy().astype(np.float32)
    begun, half = np.array(times).transpose(1, 0, 2)  # (clamp, start) each
    return {"begun": begun, "half": half, **curves, **formulas(config, exact)}


# --8<-- [end:run]


def time_below(share: torch.Tensor, level: float, rate: float) -> np.ndarray:
    """When each loss is below a level for the first time; infinity for never."""
    below_it = share < level
    first = below_it.double().argmax(0) * rate
    return torch.where(below_it.any(0), first, torch.inf).numpy()


# --8<-- [start:formulas]
def formulas(config: Config, generator: torch.Generator) -> dict[str, float]:
    """The largest errors of the formula for the time, from aligned starts of a length,
    and of the lengths that stay, from any start."""
    truth = torch.nn.functional.normalize(draw(config.dim, generator), dim=-1)
    scale, n = config.dim**3, config.n_exact  # the flow's time runs as 1 / entries
    off = []
    for clamp in CLAMPS:
        free = free_factors(clamp)
        for start, end in ((0.1, 0.5), (0.3, 0.9)):
            time = waiting_time(int(free.sum()), start, end)
            v = flow(start * truth, truth, free, scale * time / n, n)
            share = (v * truth).sum(-1)[free]
            off.append(float((share - end).abs().max()))
    v = draw(config.dim, generator)
    after = flow(v, truth, free_factors(""), 0.2, n)
    lengths = [x.square().sum(-1) for x in (v, after)]
    kept = (lengths[1] - lengths[0]).diff().abs().max()
    return {"time_error": max(off), "lengths_error": float(kept)}


# --8<-- [end:formulas]


def wait(m: Measurements, clamp: int, start: int) -> float:
    return float(m["half"][clamp, start])


def plateau(m: Measurements, clamp: int, start: int) -> float:
    """Which share of the wait passes before the loss has fallen by a twentieth."""
    return float(m["begun"][clamp, start] / m["half"][clamp, start])


def waits_finite(m: Measurements) -> bool:
    return bool(np.isfinite(m["half"][0, 1:]).all())


# fmt: off
CLAIMS = [
    Claim("time", lambda m: m["time_error"], below(1e-6), "",
          "The formula for the time holds in the flow, with nothing, one and two factors clamped.", exact=True),
    Claim("lengths", lambda m: m["lengths_error"], below(1e-6), "",
          "The differences of the squared lengths stay as they were.", exact=True),
    Claim("three-wait", lambda m: wait(m, 0, 2) / wait(m, 0, 1), above(2), "times",
          "With all three to learn, a start a third as large waits more than twice as long.", applies=waits_finite),
    Claim("two-wait", lambda m: wait(m, 1, 2) / wait(m, 1, 1), between(1, 2), "times",
          "With c clamped it waits longer, but less than twice as long."),
    Claim("one-wait", lambda m: wait(m, 2, 3) / wait(m, 2, 1), between(0.6, 1.6), "times",
          "With b and c clamped a start ten times smaller changes the wait by no more than six tenths."),
    Claim("clamp-one", lambda m: wait(m, 1, 2) / wait(m, 0, 2), below(0.1), "of the wait",
          "From a start of a tenth, clamping c takes away more than nine tenths of the wait."),
    Claim("plateau-three", lambda m: plateau(m, 0, 2), above(0.9), "",
          "With all three to learn, more than nine tenths of the wait pass before the loss falls by a twentieth.",
          Reported("singh2024", "figure 5a", "a plateau and a late drop without clamps", SMALLER)),
    Claim("plateau-two", lambda m: plateau(m, 1, 2), above(0.4), "",
          "With c clamped and a small start there is a plateau still: it is short, not gone."),
    Claim("plateau-one", lambda m: plateau(m, 2, 2), below(0.2), "",
          "With b and c clamped the loss falls from the first step on.",
          Reported("singh2024", "figure 5a", "no plateau with b and c clamped", SMALLER)),
]
# fmt: on
