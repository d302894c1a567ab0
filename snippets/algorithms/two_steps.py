"""Do two layers with the same weights take two steps of gradient descent, or do better?

Source: vonoswald2023, figure 3a, two recurrent layers against two steps of gradient
descent and of GD++. Here: batches of 256 prompts instead of 2048, Adam at 0.01 falling
to 0 for 1,200 steps instead of 0.001 for 5,000, first weights of deviation 0.05, and
eight first draws in each seed. The rates of both algorithms are fitted.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    at_least,
    below,
    between,
)
from snippets.icl.networks.folded import Folded, Matrices, at_least_one, fold
from snippets.icl.networks.parts import normal
from snippets.icl.streams import streams
from snippets.icl.tasks.linear_regression import Prompts, draw_prompts
from snippets.icl.theory import oracles
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    d: int = 10
    n: int = 10
    width: float = 1.0  # x is uniform in (-width/2, width/2)
    n_loops: int = 2
    n_runs: int = 8  # first draws of weights
    std: float = 0.05
    batch: int = 256
    learning_rate: float = 0.01
    n_steps: int = 1200
    evaluate_every: int = 50
    n_curve: int = 1000
    n_fit: int = 5000  # prompts on which the algorithms' rates are fitted
    n_test: int = 10_000


PRESETS = {
    "laptop": Config(),
    "paper": Config(
        n_runs=1,
        std=0.0135,
        batch=2048,
        learning_rate=0.001,
        n_steps=5000,
    ),
}


# --8<-- [start:network]
class Looped(nn.Module):
    """One layer of linear attention applied `n_loops` times; `n_runs` of them."""

    def __init__(
        self, n_runs: int, n_loops: int, d: int, generator: Generator, std: float
    ) -> None:
        """Raises ValueError where there is no network or no loop."""
        super().__init__()
        at_least_one(networks=n_runs, loops=n_loops)
        self.n_loops, size = n_loops, (n_runs, d + 1, d + 1)
        self.W_V = normal(*size, std=std, generator=generator)
        self.W_K = normal(*size, std=std, generator=generator)
        self.W_Q = normal(*size, std=std, generator=generator)

    def forward(self, prompts: Folded) -> Float[Tensor, "run batch"]:
        W_KQ = self.W_K.mT @ self.W_Q
        z = prompts.z  # the query; after the first layer each network has its own
        for loop in range(self.n_loops):
            seen = times_G(prompts.G, self.W_V, W_KQ, z @ W_KQ.mT, loop)
            z = z + seen @ self.W_V.mT
        return -z[..., -1]


def times_G(
    G: Tensor, W_V: Matrices, W_KQ: Matrices, a: Tensor, loop: int
) -> Float[Tensor, "run batch d_and_1"]:
    """G a, with the G that this loop sees. It is T G T' of the loop before, which is
    never formed: a product with a vector costs a tenth of one with a matrix."""
    if loop == 0:
        return (G @ a[..., None])[..., 0]
    a = a + times_G(G, W_V, W_KQ, a @ W_V, loop - 1) @ W_KQ  # T'a = a + W'G V'a
    a = times_G(G, W_V, W_KQ, a, loop - 1)
    return a + times_G(G, W_V, W_KQ, a @ W_KQ.mT, loop - 1) @ W_V.mT  # T = I + V G W


# --8<-- [end:network]


# --8<-- [start:fit]
def algorithm(
    prompts: Prompts, rates: Float[Tensor, "step 2"]
) -> Float[Tensor, "batch"]:
    """GD++ with a pair (eta, gamma) for each step; with gamma = 0 gradient descent."""
    x, y, query = prompts.x[:, :-1], prompts.y[:, :-1], prompts.x[:, -1]
    pairs = [(eta, gamma) for eta, gamma in rates]
    return oracles.gd_plus_plus(x, y, query, pairs)


def loss_of(predicted: Tensor, answer: Float[Tensor, "batch"]) -> Tensor:
    return (predicted - answer).square().mean(-1) / 2


def fit_rates(
    prompts: Prompts, n_steps: int, *, bend: bool, shared: bool
) -> Float[Tensor, "step 2"]:
    """The rates with the least loss on the prompts: with `bend` GD++, without it plain
    descent; with `shared` the same at each step.

    Where each step has its own, LBFGS starts from short to long and from long to short,
    and the better end counts: from equal steps it would never leave equal steps.
    """
    lengths = torch.linspace(4, 12, n_steps) if not shared else torch.tensor([8.0])
    mask = torch.tensor([1.0, float(bend)])
    ends = []
    for etas in (lengths,) if shared else (lengths, lengths.flip(0)):
        free = torch.stack([etas, torch.full_like(etas, 0.5)], 1).requires_grad_()
        lbfgs = torch.optim.LBFGS([free], max_iter=60, line_search_fn="strong_wolfe")

        def closure(free: Tensor = free, lbfgs: torch.optim.LBFGS = lbfgs) -> Tensor:
            lbfgs.zero_grad()
            rates = (free * mask).expand(n_steps, 2)
            loss = loss_of(algorithm(prompts, rates), prompts.answer)
            loss.backward()
            return loss

        lbfgs.step(closure)
        ends.append((closure().item(), (free * mask).detach().expand(n_steps, 2)))
    return min(ends, key=lambda end: end[0])[1]


# --8<-- [end:fit]


# --8<-- [start:train]
def train(network: Looped, config: Config, data: Generator, few: Prompts) -> list[dict]:
    n_steps, few_folded, history = config.n_steps, fold(few.tokens()), []
    adam = torch.optim.Adam(
        network.parameters(), config.learning_rate, betas=(0.9, 0.98), fused=True
    )
    # The rate falls for most of the run: while it is large, the noise of the batches
    # keeps eta and gamma small.
    cool = torch.optim.lr_scheduler.LambdaLR(
        adam, lambda step: min(1, (1 - step / n_steps) / 0.7)
    )
    for step in steps(n_steps + 1):
        if step % config.evaluate_every == 0:
            with torch.no_grad():
                loss = loss_of(network(few_folded), few.answer)
            history.append({"step": step, "loss": loss.numpy()})
        if step == n_steps:
            break
        prompts = draw(config, config.batch, data)
        loss = loss_of(network(fold(prompts.tokens())), prompts.answer)  # (run,)
        adam.zero_grad()
        loss.sum().backward()
        adam.step()
        cool.step()
    return history


def draw(config: Config, count: int, generator: Generator) -> Prompts:
    return draw_prompts(count, config.n, config.d, generator, width=config.width)


# --8<-- [end:train]


# --8<-- [start:read]
def read_rates(
    W_V: Float[Tensor, "d_and_1 d_and_1"], W_KQ: Float[Tensor, "d_and_1 d_and_1"]
) -> tuple[float, float, float]:
    """eta and gamma as the weights have them, and how far the weights are from GD++.

    With beta the mean of W's diagonal over x, GD++ has W = beta (I, 0) and
    V = -(gamma I, eta) / beta. The third number is the part of V and W, both rescaled,
    that is not of that form, as a share of their size.
    """
    d = W_V.shape[0] - 1
    x_part = torch.eye(d + 1)
    x_part[d, d] = 0
    beta = W_KQ.diagonal()[:d].mean()
    W_V, W_KQ = W_V * beta, W_KQ / beta
    gamma, eta = -W_V.diagonal()[:d].mean(), -W_V[d, d]
    ideal = -gamma * x_part
    ideal[d, d] = -eta
    off_V = (W_V - ideal).norm() / W_V.norm()
    off_KQ = (W_KQ - x_part).norm() / W_KQ.norm()
    return float(eta), float(gamma), float(torch.maximum(off_V, off_KQ))


# --8<-- [end:read]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, held_out, fitting, tests = streams(seed, 5)
    network = Looped(config.n_runs, config.n_loops, config.d, weights, config.std)
    history = train(network, config, data, draw(config, config.n_curve, held_out))
    to_fit = draw(config, config.n_fit, fitting)
    fitted = {
        "descent": fit_rates(to_fit, config.n_loops, bend=False, shared=False),
        "bent": fit_rates(to_fit, config.n_loops, bend=True, shared=True),
        "bent_free": fit_rates(to_fit, config.n_loops, bend=True, shared=False),
    }
    test = draw(config, config.n_test, tests)
    losses = {
        f"loss_{name}": loss_of(algorithm(test, rates), test.answer).item()
        for name, rates in fitted.items()
    }
    with torch.no_grad():
        end = loss_of(network(fold(test.tokens())), test.answer).numpy()
    # The middle one of those that found more than two steps of descent; of all eight,
    # where none did.
    order = np.argsort(end)
    n_found = int((end < losses["loss_descent"]).sum()) or config.n_runs
    typical = int(order[n_found // 2])
    W_KQ = (network.W_K.mT @ network.W_Q).detach()
    eta, gamma, off = read_rates(network.W_V[typical].detach(), W_KQ[typical])
    return {
        "step": np.array([h["step"] for h in history]),
        "loss": np.stack([h["loss"] for h in history]),  # (record, run)
        "end_loss": end,
        "typical_loss": float(end[typical]),
        "eta": eta,
        "gamma": gamma,
        "off": off,
        "fitted_eta": fitted["bent"][0, 0].item(),
        "fitted_gamma": fitted["bent"][0, 1].item(),
        **losses,
    }


# --8<-- [end:run]


def found(m: Measurements) -> np.ndarray:
    """Which networks end below two steps of gradient descent."""
    return m["end_loss"] < m["loss_descent"]


def any_found(m: Measurements) -> bool:
    return bool(found(m).any())


def over(m: Measurements, name: str) -> float:
    """Loss of the typical network, the middle one of those that found it, over that of
    an algorithm."""
    return float(m["typical_loss"] / m[name])


# fmt: off
CLAIMS = [
    Claim("found", lambda m: float(found(m).mean()), at_least(0.375), "of the networks",
          "At least 3 of 8 first draws end below two steps of gradient descent."),
    Claim("beats-descent", lambda m: over(m, "loss_descent"), below(0.9), "of the loss",
          "The middle one of these leaves less than nine tenths of the loss of two steps of gradient descent "
          "with rates fitted.",
          Reported("vonoswald2023", "figure 3a",
                   "two recurrent layers do better than two steps of gradient descent", SMALLER), applies=any_found),
    Claim("bent", lambda m: over(m, "loss_bent"), between(0.98, 1.1), "of the loss",
          "Its loss is within 10 percent of that of GD++ with one fitted pair of rates.",
          Reported("vonoswald2023", "figure 3a", "GD++ does as well", SMALLER),
          digits=3, applies=any_found),
    Claim("weights", lambda m: float(m["off"]), below(0.1), "of their size",
          "Rescaled, what in its weights is not of the form of GD++ has less than a tenth of their length.",
          applies=any_found),
    Claim("gamma", lambda m: float(m["gamma"] / m["fitted_gamma"]), between(0.75, 1), "of the fitted",
          "The gamma that it has learned is smaller than the fitted one, by less than a quarter.", applies=any_found),
    Claim("eta", lambda m: float(m["eta"] / m["fitted_eta"]), between(0.75, 1), "of the fitted",
          "So is its eta.", applies=any_found),
]
# fmt: on
