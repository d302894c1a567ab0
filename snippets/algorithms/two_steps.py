"""Do two layers with the same weights take two steps of gradient descent, or do better?

Source: vonoswald2023, figure 3a, two recurrent layers against two steps of gradient
descent and of GD++. Here: batches of 256 prompts instead of 2048, Adam at 0.01 for
1,200 steps instead of 0.001 for 5,000, first weights of deviation 0.05, and eight first
draws in each seed. The rates of both algorithms are fitted.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.contract import (
    REPRODUCED,
    Claim,
    Measurements,
    Reported,
    at_least,
    below,
    between,
)
from snippets.icl.networks.folded import Folded, fold, layer
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
    n_fit: int = 10_000  # prompts on which the algorithms' rates are fitted
    n_test: int = 20_000


PRESETS = {
    "laptop": Config(),
    "paper": Config(
        n_runs=1,
        std=0.0135,
        batch=2048,
        learning_rate=0.001,
        n_steps=5000,
        n_test=10_000,
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
        if n_runs < 1 or n_loops < 1:
            raise ValueError(
                f"{n_runs} networks of {n_loops} loops: there must be 1 of each"
            )
        self.n_loops = n_loops

        def small() -> nn.Parameter:
            drawn = torch.randn(n_runs, d + 1, d + 1, generator=generator)
            return nn.Parameter(std * drawn)

        self.V, self.K, self.Q = small(), small(), small()

    def forward(self, prompts: Folded) -> Float[Tensor, "run batch"]:
        W = self.K.mT @ self.Q
        for _ in range(self.n_loops):
            prompts = layer(prompts, self.V, W)
        return prompts.prediction


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
    descent; with `shared` the same at each step. LBFGS from a fixed start."""
    free = torch.tensor([[4.0, 0.5]]).repeat(1 if shared else n_steps, 1)
    free.requires_grad_()
    mask = torch.tensor([1.0, float(bend)])
    lbfgs = torch.optim.LBFGS([free], max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        lbfgs.zero_grad()
        rates = (free * mask).expand(n_steps, 2)
        loss = loss_of(algorithm(prompts, rates), prompts.answer)
        loss.backward()
        return loss

    lbfgs.step(closure)
    return (free * mask).detach().expand(n_steps, 2)


# --8<-- [end:fit]


def train(config: Config, generator: Generator, few: Prompts) -> tuple[Looped, list]:
    network = Looped(config.n_runs, config.n_loops, config.d, generator, config.std)
    adam = torch.optim.Adam(
        network.parameters(), config.learning_rate, betas=(0.9, 0.98)
    )
    cool = torch.optim.lr_scheduler.LambdaLR(
        adam, lambda step: min(1, (1 - step / config.n_steps) / 0.4)
    )
    few_folded, history = fold(few.tokens()), []
    for step in steps(config.n_steps + 1):
        if step % config.evaluate_every == 0:
            with torch.no_grad():
                loss = loss_of(network(few_folded), few.answer)
            history.append({"step": step, "loss": loss.numpy()})
        if step == config.n_steps:
            break
        prompts = draw_prompts(
            config.batch, config.n, config.d, generator, width=config.width
        )
        loss = loss_of(network(fold(prompts.tokens())), prompts.answer)  # (run,)
        adam.zero_grad()
        loss.sum().backward()
        adam.step()
        cool.step()
    return network, history


# --8<-- [start:read]
def read_rates(
    V: Float[Tensor, "d_and_1 d_and_1"], W: Float[Tensor, "d_and_1 d_and_1"]
) -> tuple[float, float, float]:
    """eta and gamma as the weights have them, and how far the weights are from GD++.

    With beta the mean of W's diagonal over x, GD++ has W = beta (I, 0) and
    V = -(gamma I, eta) / beta. The third number is the part of V and W, both rescaled,
    that is not of that form, as a share of their size.
    """
    d = V.shape[0] - 1
    x_part = torch.eye(d + 1)
    x_part[d, d] = 0
    beta = W.diagonal()[:d].mean()
    V, W = V * beta, W / beta
    gamma, eta = -V.diagonal()[:d].mean(), -V[d, d]
    ideal = -gamma * x_part
    ideal[d, d] = -eta
    off_V = (V - ideal).norm() / V.norm()
    off_W = (W - x_part).norm() / W.norm()
    return float(eta), float(gamma), float(torch.maximum(off_V, off_W))


# --8<-- [end:read]


def run(config: Config, seed: int) -> Measurements:
    generator = Generator().manual_seed(seed)

    def draw_some(count: int) -> Prompts:
        return draw_prompts(count, config.n, config.d, generator, width=config.width)

    network, history = train(config, generator, draw_some(config.n_curve))
    to_fit, test = draw_some(config.n_fit), draw_some(config.n_test)
    fitted = {
        "descent": fit_rates(to_fit, config.n_loops, bend=False, shared=False),
        "bent": fit_rates(to_fit, config.n_loops, bend=True, shared=True),
        "bent_free": fit_rates(to_fit, config.n_loops, bend=True, shared=False),
    }
    with torch.no_grad():
        predicted = network(fold(test.tokens()))  # (run, prompts)
        W = network.K.mT @ network.Q
    end = loss_of(predicted, test.answer).numpy()
    typical = int(np.argsort(end)[config.n_runs // 4])  # middle of the better half
    eta, gamma, off = read_rates(network.V[typical].detach(), W[typical])
    bent = algorithm(test, fitted["bent"])
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
        "difference": (predicted[typical] - bent).abs().mean().item(),
        "size": bent.abs().mean().item(),
        **{
            f"loss_{name}": loss_of(algorithm(test, rates), test.answer).item()
            for name, rates in fitted.items()
        },
    }


def over(m: Measurements, name: str) -> float:
    """Loss of the typical network, the middle of the better half, over that of an
    algorithm."""
    return float(m["typical_loss"] / m[name])


# fmt: off
CLAIMS = [
    Claim("found", lambda m: float((m["end_loss"] < m["loss_descent"]).mean()), at_least(0.375), "of the networks",
          "At least 3 of 8 first draws end below two steps of gradient descent."),
    Claim("beats-descent", lambda m: over(m, "loss_descent"), below(0.8), "of the loss",
          "The typical network leaves less than four fifths of the loss of two steps of gradient descent "
          "with rates fitted.",
          Reported("vonoswald2023", "figure 3a",
                   "two recurrent layers do better than two steps of gradient descent", REPRODUCED)),
    Claim("bent", lambda m: over(m, "loss_bent"), between(0.95, 1.1), "of the loss",
          "Its loss is within 10 percent of that of GD++ with one fitted pair of rates.",
          Reported("vonoswald2023", "figure 3a", "GD++ does as well", REPRODUCED),
          digits=3),
    Claim("weights", lambda m: float(m["off"]), below(0.1), "of their size",
          "Rescaled, less than a tenth of the typical network's weights is not of the form of GD++."),
    Claim("gamma", lambda m: float(m["gamma"] / m["fitted_gamma"]), between(0.7, 1.3), "of the fitted",
          "The gamma that it has learned is within 30 percent of the fitted one."),
    Claim("eta", lambda m: float(m["eta"] / m["fitted_eta"]), between(0.7, 1.3), "of the fitted",
          "So is its eta."),
]
# fmt: on
