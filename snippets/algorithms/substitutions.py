"""Which algorithm is one attention layer, by its weights alone?

Source: vonoswald2023 (proposition 1) for plain steps and GD++, ahn2023 (lemma 1) for
preconditioned steps, cheng2024 (proposition 3.1) for other h. Nothing is trained: each
network is built and compared with its algorithm, written in the ordinary way.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from snippets.contract import Claim, Measurements, above, at_most, below, between
from snippets.icl.networks.simple_transformer import (
    NONLINEARITIES,
    SimpleTransformer,
    attention,
    one_step,
)
from snippets.icl.streams import streams
from snippets.icl.tasks.linear_regression import Prompts, draw_prompts
from snippets.icl.theory import oracles
from snippets.icl.theory.step_sizes import draw_spectra, fitted, loss


@dataclass(frozen=True)
class Config:
    d: int = 5
    n: int = 20
    n_layers: int = 4
    n_prompts: int = 500
    rate: float = 0.5  # eta, of the plain steps that are compared
    d_small: int = 2  # where a kernel is compared with its features
    degree: int = 20  # of the monomials that serve as features
    repeated_rate: float = 0.3  # of the layer that is repeated
    n_repeats: int = 400
    depths: tuple[int, ...] = (1, 2, 3, 4, 6, 8)  # layers, in the figure of the loss
    n_spectra: int = 1000  # prompts to fit step sizes on, and as many to test them


PRESETS = {"laptop": Config()}


# --8<-- [start:rows]
def built(matrices: list[tuple], d: int, h: str = "linear") -> SimpleTransformer:
    """A network with these matrices, a triple V, Q, K for each layer."""
    unused = torch.Generator().manual_seed(0)  # every weight is replaced
    network = SimpleTransformer(len(matrices), d, unused, h).double()
    for layer, (V, Q, K) in enumerate(matrices):
        network.set_layer(layer, V, Q, K)
    return network


def compare(
    prompts: Prompts, config: Config, generator: torch.Generator
) -> dict[str, float]:
    """The largest difference between network and algorithm, for each substitution."""
    d, n_layers = config.d, config.n_layers
    x, y, query = prompts.x[:, :-1], prompts.y[:, :-1], prompts.x[:, -1]
    eye = torch.eye(d, dtype=torch.float64)
    noise = torch.randn(n_layers, d, d, generator=generator, dtype=torch.float64)
    A = [0.3 * (eye + 0.3 * matrix) for matrix in noise]
    rates = [(0.4, 0.1), (0.3, 0.2), (0.5, 0.1), (0.2, 0.05)][:n_layers]

    def descended(preconditioners: list[Tensor]) -> Tensor:
        return (oracles.descend(x, y, preconditioners)[-1] * query).sum(-1)

    plain = [config.rate * eye] * n_layers
    bent = built([one_step(eye, eta, gamma) for eta, gamma in rates], d)
    softmax = built([one_step(eye)], d, "softmax")
    Z = prompts.tokens()
    off = {
        "descent": built([one_step(a) for a in plain], d)(Z) - descended(plain),
        "preconditioned": built([one_step(a) for a in A], d)(Z) - descended(A),
        "plus_plus": bent(Z) - oracles.gd_plus_plus(x, y, query, rates),
        "smoother": softmax(Z) - smoother(x, y, query),
    }
    return {name: difference.abs().max().item() for name, difference in off.items()}


def smoother(
    x: Float[Tensor, "batch n d"],
    y: Float[Tensor, "batch n"],
    query: Float[Tensor, "batch d"],
) -> Float[Tensor, "batch"]:
    """A mean of the y_i, weighted by exp(<x_i, query>)."""
    weights = (x @ query[..., None])[..., 0].exp()
    return (weights * y).sum(-1) / weights.sum(-1)


# --8<-- [end:rows]


# --8<-- [start:kernel]
def monomials(
    x: Float[Tensor, "batch n d"], degree: int
) -> Float[Tensor, "batch n feature"]:
    """Features phi with <phi(u), phi(v)> = exp(<u, v> / d), up to that degree: products
    of powers of the coordinates, each over the root of d^degree and of its factorials.
    """
    d = x.shape[-1]
    powers = torch.stack(
        [x**p / math.sqrt(math.factorial(p) * d**p) for p in range(degree + 1)], -1
    )  # (batch, n, d, power)
    chosen = [
        p for p in itertools.product(range(degree + 1), repeat=d) if sum(p) <= degree
    ]
    coordinates = [powers[..., i, list(p)] for i, p in enumerate(zip(*chosen))]
    return torch.stack(coordinates).prod(0)


def kernel_descent(prompts: Prompts, config: Config) -> float:
    """The largest difference between layers with h = exp and descent on the weights of
    a linear map of the monomials, in which no kernel occurs."""
    d, rates = prompts.x.shape[-1], [0.3, 0.2, 0.1, 0.1][: config.n_layers]
    eye = torch.eye(d, dtype=torch.float64)
    network = built([one_step(eye / d, rate) for rate in rates], d, "exp")
    phi = monomials(prompts.x, config.degree)
    same = torch.eye(phi.shape[-1], dtype=torch.float64)
    path = oracles.descend(phi[:, :-1], prompts.y[:, :-1], [r * same for r in rates])
    theirs = (path[-1] * phi[:, -1]).sum(-1)
    return (network(prompts.tokens()) - theirs).abs().max().item()


def repeated(prompts: Prompts, config: Config, h: str) -> Float[np.ndarray, "step"]:
    """What is left of the examples' y after each repeat of one layer, as a share of
    their mean square; half the prompts lie below."""
    d = config.d
    scale = 1 / d if h == "exp" else 1.0
    A = scale * torch.eye(d, dtype=torch.float64)
    V, Q, K = one_step(A, config.repeated_rate)
    Z, left = prompts.tokens(), []
    for _ in range(config.n_repeats + 1):
        left.append(Z[:, :-1, -1].square().mean(-1))
        Z = Z + attention(Z, V, Q, K, NONLINEARITIES[h])
    share = torch.stack(left) / left[0]
    share = share.nan_to_num(nan=np.inf, posinf=np.inf)  # a prompt that has overflowed
    return share.median(-1).values.numpy()


def least_eigenvalue(prompts: Prompts) -> float:
    """Of the matrix with entries max(<x_i, x_j>, 0): the least eigenvalue, over all
    prompts the largest of them. A kernel would have none below 0."""
    x = prompts.x[:, :-1]
    return torch.linalg.eigvalsh((x @ x.mT).relu())[:, 0].max().item()


# --8<-- [end:kernel]


# --8<-- [start:depth]
def depth(config: Config, fit: torch.Generator, test: torch.Generator) -> Measurements:
    """What is left at each number of layers by plain steps of one size, by plain steps
    of free sizes, and by GD++ with one pair of sizes for all layers."""
    sizes = (config.n_spectra, config.n, config.d)
    ours, unseen = (draw_spectra(*sizes, stream) for stream in (fit, test))
    double = torch.float64
    pairs = [(eta, gamma) for eta in (0.7, 1.4, 2.1) for gamma in (0.1, 0.2)]
    starts = torch.tensor(pairs, dtype=double)[:, None]  # (start, 1, 2)
    left: dict[str, list[float]] = {"plain": [], "free": [], "bent": []}
    for n_layers in config.depths:
        plain = fitted(ours, starts[0], n_layers, bends=False)
        tried = [loss(ours, start.expand(n_layers, 2)).item() for start in starts]
        bent = fitted(ours, starts[int(np.argmin(tried))], n_layers, bends=True)
        # a step of size 1 / lam is exact where C's eigenvalue is lam: spread them
        places = 0.3 + 2.4 * (torch.arange(n_layers, dtype=double) + 0.5) / n_layers
        spread = torch.stack([1 / places, torch.zeros(n_layers, dtype=double)], 1)
        free = fitted(ours, spread, n_layers, bends=False)
        for name, rates in (("plain", plain), ("free", free), ("bent", bent)):
            left[name].append(loss(unseen, rates.expand(n_layers, 2)).item())
    return {f"loss_{name}": np.array(curve) for name, curve in left.items()}


# --8<-- [end:depth]


def run(config: Config, seed: int) -> Measurements:
    prompt, matrix, fit, test = streams(seed, 4)
    sizes, double = (config.n_prompts, config.n), torch.float64
    prompts = draw_prompts(*sizes, config.d, prompt, dtype=double)
    # inputs of bounded size: their monomials of high degree vanish
    bounded = draw_prompts(
        100, config.n, config.d_small, prompt, width=2.0, dtype=double
    )
    return {
        **compare(prompts, config, matrix),
        "kernel": kernel_descent(bounded, config),
        "relu_least_eigenvalue": least_eigenvalue(prompts),
        "repeated_relu": repeated(prompts, config, "relu"),
        "repeated_exp": repeated(prompts, config, "exp"),
        "n_layers": np.array(config.depths),
        **depth(config, fit, test),
    }


def at(n_layers: int, one: str, other: str) -> Callable[[Measurements], float]:
    """The loss of one way as a share of the other's, at that number of layers."""

    def value(m: Measurements) -> float:
        (i,) = np.flatnonzero(m["n_layers"] == n_layers)
        return float(m[one][i] / m[other][i])

    return value


def grown(m: Measurements) -> float:
    """What is left at the end with h = relu, over the least that was left."""
    return float(m["repeated_relu"][-1] / m["repeated_relu"].min())


def rises(m: Measurements) -> int:
    """In how many repeats with h = exp what is left of y rises."""
    return int((np.diff(m["repeated_exp"]) > 0).sum())


EXACT = below(1e-10)  # in float64


# fmt: off
CLAIMS = [
    Claim("descent", lambda m: float(m["descent"]), EXACT, "",
          "Layers with linear h and W_Q W_K' = eta I predict what as many steps of gradient descent predict.",
          digits=1, exact=True),
    Claim("preconditioned", lambda m: float(m["preconditioned"]), EXACT, "",
          "With any matrix A in each layer's W_Q W_K' the steps are preconditioned by it.",
          digits=1, exact=True),
    Claim("plus-plus", lambda m: float(m["plus_plus"]), EXACT, "",
          "If W_V also moves x, the layers are steps of GD++.",
          digits=1, exact=True),
    Claim("functional-exp", lambda m: float(m["kernel"]), EXACT, "",
          "With h = exp the layers are descent on a linear map of monomials, whose kernel is exponential.",
          digits=1, exact=True),
    Claim("smoother", lambda m: float(m["smoother"]), EXACT, "",
          "One layer with softmax predicts a mean of the examples' y, weighted by exp(<x_i, x_query>).",
          digits=1, exact=True),
    Claim("relu-no-kernel", lambda m: float(m["relu_least_eigenvalue"]), below(0), "",
          "The matrix of all max(<x_i, x_j>, 0) has a negative eigenvalue in every prompt."),
    Claim("relu-turns", grown, above(100), "times as much as at the least",
          "With h = relu, repeated, what is left in the middle prompt shrinks to a least value and grows again to over "
          "100 times it."),
    Claim("exp-falls", rises, at_most(0), "of the repeats",
          "With h = exp what is left in the middle prompt shrinks at every repeat."),
    Claim("bent-inputs", at(4, "loss_bent", "loss_plain"), below(0.05), "of the loss",
          "Four equal layers of GD++ leave less than a twentieth of what four equal plain steps leave."),
    Claim("free-steps", at(4, "loss_free", "loss_plain"), between(0.2, 0.5), "of the loss",
          "Four plain steps, each of a size of its own, leave between a fifth and half of what four equal ones leave."),
    Claim("bent-not-free", at(4, "loss_bent", "loss_free"), below(0.1), "of the loss",
          "Four equal layers of GD++ leave less than a tenth of what four plain steps of free sizes leave."),
]
# fmt: on
