"""Is Bayes' rule, one example at a time, the same as ridge regression on all of them?

Source: none; ours. w ~ N(0, I), y = <w, x> + noise: the mean of w given the examples is ridge
regression with strength = the variance of the noise, and Sherman and Morrison's identity
moves it by one example without an inverse. Nothing is trained. Each closed form is checked
by another way to compute it: in float64, by automatic derivatives, and by simulation.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.streams import streams
from snippets.icl.theory import gaussian_belief as gb
from snippets.icl.theory import oracles


@dataclass(frozen=True)
class Config:
    d: int = 5
    n: int = 20
    strength: float = 0.25  # variance of the noise
    wrong: float = 25.0  # a strength a hundred times as large
    n_prompts: int = 500  # for what is exact
    n_sampled: int = 40_000  # for what is simulated


PRESETS = {"laptop": Config()}


# --8<-- [start:prompts]
def prompts(
    c: Config, batch: int, generator: Generator
) -> tuple[
    Float[Tensor, "batch n d"], Float[Tensor, "batch n"], Float[Tensor, "batch d"]
]:
    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    x = normal(batch, c.n, c.d)
    w = normal(batch, c.d)
    noise = c.strength**0.5 * normal(batch, c.n)
    return x, (x @ w[..., None])[..., 0] + noise, w


# --8<-- [end:prompts]


# --8<-- [start:exact]
def identities(c: Config, generator: Generator) -> dict[str, float]:
    """The largest difference, over prompts and numbers of examples, between the running
    belief and four other ways to the same law."""
    x, y, _ = prompts(c, c.n_prompts, generator)
    belief, told = gb.prior(c.n_prompts, c.d, c.strength), torch.zeros(c.n_prompts)
    eye, off = torch.eye(c.d, dtype=torch.float64), dict.fromkeys(("w", "S", "g"), 0.0)
    for k in range(c.n):
        told = told + gb.log_density(belief, x[:, k], y[:, k], c.strength)
        belief = gb.update(belief, x[:, k], y[:, k])
        seen, values = x[:, : k + 1], y[:, : k + 1]
        ridge = oracles.ridge(seen, values, c.strength)
        inverse = seen.mT @ seen + c.strength * eye
        apart = {
            "w": belief.mean - ridge,
            "S": belief.S @ inverse - eye,
            "g": slope(belief.mean, seen, values, c.strength),
        }
        off = {k: max(off[k], v.abs().max().item()) for k, v in apart.items()}
    order = torch.randperm(c.n, generator=generator)
    turned = all_at_once(x[:, order], y[:, order], c.strength)
    together = gb.log_evidence(x, y, c.strength)
    return {
        "off_ridge": off["w"],
        "off_inverse": off["S"],
        "off_gradient": off["g"],
        "off_order": (turned.mean - belief.mean).abs().max().item(),
        "off_evidence": (told - together).abs().max().item(),
    }


def all_at_once(x: Tensor, y: Tensor, strength: float) -> gb.Belief:
    belief = gb.prior(len(x), x.shape[2], strength)
    for k in range(x.shape[1]):
        belief = gb.update(belief, x[:, k], y[:, k])
    return belief


def slope(w: Tensor, x: Tensor, y: Tensor, strength: float) -> Tensor:
    """Automatic derivative of -strength * log p(w | examples) at w: 0 at its top."""
    w = w.clone().requires_grad_()
    fit = (y - (x @ w[..., None])[..., 0]).square().sum()
    return torch.autograd.grad(0.5 * fit + 0.5 * strength * w.square().sum(), w)[0]


# --8<-- [end:exact]


# --8<-- [start:sampled]
def doubt(c: Config, strength: float, generator: Generator) -> dict[str, np.ndarray]:
    """After k = 0 .. n - 1 examples: the mean square error of the next prediction, the
    variance that the belief announces, and how often y falls in its 95 % band."""
    x, y, _ = prompts(c, c.n_sampled, generator)
    belief, found = gb.prior(c.n_sampled, c.d, strength), []
    for k in range(c.n):
        next_x, next_y = x[:, k], y[:, k]
        spread = (next_x[:, None] @ belief.S @ next_x[..., None])[:, 0, 0]
        announced = strength * (1 + spread)
        square = (next_y - (belief.mean * next_x).sum(1)).square()
        inside = square < 1.959964**2 * announced
        found.append([square.mean(), announced.mean(), inside.double().mean()])
        belief = gb.update(belief, next_x, next_y)
    names = ("error", "announced", "inside")
    return dict(zip(names, np.array(found, np.float32).T))


# --8<-- [end:sampled]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    exact, simulated, again = streams(seed, 3)
    right = doubt(config, config.strength, simulated)
    wrong = doubt(config, config.wrong, again)
    return {
        **identities(config, exact),
        **{f"right_{name}": values for name, values in right.items()},
        **{f"wrong_{name}": values for name, values in wrong.items()},
        "examples": np.arange(config.n),
    }


# --8<-- [end:run]


def announced_off(m: Measurements) -> float:
    """By how much, as a share, announced and simulated squared error differ at most."""
    return float(np.abs(m["right_error"] / m["right_announced"] - 1).max())


def coverage_off(m: Measurements) -> float:
    return float(np.abs(m["right_inside"] - 0.95).max())


def price(m: Measurements) -> float:
    """Error with the wrong strength over that with the right one, after d examples."""
    return float(m["wrong_error"][5] / m["right_error"][5])


# fmt: off
CLAIMS = [
    Claim("ridge", lambda m: m["off_ridge"], below(1e-10), "",
          "After each example the running mean is ridge regression on all examples so far.",
          exact=True),
    Claim("inverse", lambda m: m["off_inverse"], below(1e-10), "",
          "The matrix that it keeps is the inverse of X'X + strength I, to rounding.", exact=True),
    Claim("top", lambda m: m["off_gradient"], below(1e-9), "",
          "The gradient of the log posterior, by automatic derivatives, vanishes there.", exact=True),
    Claim("order", lambda m: m["off_order"], below(1e-10), "",
          "The same examples in another order leave the same belief.", exact=True),
    Claim("evidence", lambda m: m["off_evidence"], below(1e-9), "nats",
          "Log-densities, one prediction after the other, add up to that of all values at once.", exact=True),
    Claim("announced", announced_off, below(0.06), "",
          "In simulated prompts the squared error is within 6 % of the variance that is announced, at every k."),
    Claim("covered", coverage_off, below(0.01), "",
          "Its 95 % band holds 94 to 96 in 100 values, after any number of examples."),
    Claim("wrong-prior", price, above(1.5), "",
          "With the noise taken for a hundred times too large it errs over 1.5 times as much after d examples."),
    Claim("wrong-band", lambda m: float(m["wrong_inside"].min()), above(0.98), "",
          "And its 95 % band then holds more than 98 in 100 values: it is too wide."),
]
# fmt: on
