"""Which algorithm is one attention layer, by its weights alone?

Source: vonoswald2023 (proposition 1) for plain steps and GD++, ahn2023 (lemma 1) for
preconditioned steps, cheng2024 (proposition 3.1) for other h. Nothing is trained: each
network is built and compared with its algorithm, written in the ordinary way.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from snippets.contract import Claim, Measurements, Reported, below
from snippets.icl.networks.simple_transformer import SimpleTransformer, one_step
from snippets.icl.tasks.linear_regression import Prompts, draw_prompts
from snippets.icl.theory import oracles


@dataclass(frozen=True)
class Config:
    d: int = 5
    n: int = 20
    n_layers: int = 4
    n_prompts: int = 500
    rate: float = 0.5  # eta, of the plain steps that are compared
    depths: tuple[int, ...] = (1, 2, 3, 4, 6, 8)  # layers, in the figure
    etas: tuple[float, ...] = tuple(np.arange(0.3, 1.21, 0.1).round(1).tolist())
    gammas: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4)  # both tried there


PRESETS = {"laptop": Config()}


def built(matrices: list[tuple], d: int, h: str = "linear") -> SimpleTransformer:
    """A network with these matrices, a triple V, Q, K for each layer."""
    unused = torch.Generator().manual_seed(0)  # every weight is replaced
    network = SimpleTransformer(len(matrices), d, unused, h).double()
    for layer, (V, Q, K) in enumerate(matrices):
        network.set_layer(layer, V, Q, K)
    return network


# --8<-- [start:rows]
def as_descent(prompts: Prompts, path: Float[Tensor, "step batch d"]) -> Tensor:
    """The prediction of the last weights of a descent."""
    return (path[-1] * prompts.x[:, -1]).sum(-1)


def compare(
    prompts: Prompts, config: Config, generator: torch.Generator
) -> dict[str, float]:
    """The largest difference between network and algorithm, for each substitution."""
    d, n_layers = config.d, config.n_layers
    x, y, query = prompts.x[:, :-1], prompts.y[:, :-1], prompts.x[:, -1]
    eye = torch.eye(d, dtype=torch.float64)
    A = [
        eye + 0.3 * torch.randn(d, d, generator=generator, dtype=torch.float64)
        for _ in range(n_layers)
    ]
    rates = [(0.4, 0.1), (0.3, 0.2), (0.5, 0.1), (0.2, 0.05)][:n_layers]
    steps_of_f = [0.3, 0.2, 0.1, 0.1][:n_layers]

    pairs = {
        "descent": (
            built([one_step(config.rate * eye)] * n_layers, d),
            as_descent(prompts, oracles.descend(x, y, [config.rate * eye] * n_layers)),
        ),
        "preconditioned": (
            built([one_step(0.3 * matrix) for matrix in A], d),
            as_descent(prompts, oracles.descend(x, y, [0.3 * matrix for matrix in A])),
        ),
        "plus_plus": (
            built([one_step(eye, eta, gamma) for eta, gamma in rates], d),
            oracles.gd_plus_plus(x, y, query, rates),
        ),
        "functional_relu": (
            built([one_step(eye, rate) for rate in steps_of_f], d, "relu"),
            oracles.functional_descent(x, y, query, torch.relu, steps_of_f),
        ),
        "functional_exp": (
            built([one_step(eye / d, rate) for rate in steps_of_f], d, "exp"),
            oracles.functional_descent(
                x, y, query, lambda products: (products / d).exp(), steps_of_f
            ),
        ),
        "smoother": (
            built([one_step(eye)], d, "softmax"),
            smoother(x, y, query),
        ),
    }
    Z = prompts.tokens()
    return {
        name: (network(Z) - algorithm).abs().max().item()
        for name, (network, algorithm) in pairs.items()
    }


def smoother(
    x: Float[Tensor, "batch n d"],
    y: Float[Tensor, "batch n"],
    query: Float[Tensor, "batch d"],
) -> Float[Tensor, "batch"]:
    """A mean of the y_i, weighted by exp(<x_i, query>)."""
    weights = (x @ query[..., None])[..., 0].exp()
    return (weights * y).sum(-1) / weights.sum(-1)


# --8<-- [end:rows]


def depth(prompts: Prompts, config: Config) -> dict[str, np.ndarray]:
    """In-context loss against number of layers, for the best of the rates tried."""
    Z, eye = prompts.tokens(), torch.eye(config.d, dtype=torch.float64)

    def best(n_layers: int, gammas: tuple[float, ...]) -> float:
        losses = []
        for eta in config.etas:
            for gamma in gammas:
                network = built([one_step(eye, eta, gamma)] * n_layers, config.d)
                off = network(Z) - prompts.answer
                losses.append(off.square().mean().item())
        return min(losses)

    with torch.no_grad():
        plain = [best(n_layers, (0.0,)) for n_layers in config.depths]
        bent = [best(n_layers, config.gammas) for n_layers in config.depths]
    return {
        "n_layers": np.array(config.depths),
        "loss_plain": np.array(plain),
        "loss_bent": np.array(bent),
    }


def run(config: Config, seed: int) -> Measurements:
    generator = torch.Generator().manual_seed(seed)
    prompts = draw_prompts(
        config.n_prompts, config.n, config.d, generator, dtype=torch.float64
    )
    return {
        **compare(prompts, config, generator),
        **depth(prompts, config),
        "variance": prompts.answer.square().mean().item(),
    }


EXACT = 1e-10  # in float64


def difference(name: str, sentence: str, reported: Reported | None) -> Claim:
    """A claim that the network and the algorithm of that name agree."""
    return Claim(
        name.replace("_", "-"),
        lambda m: float(m[name]),
        below(EXACT),
        "at most",
        sentence,
        reported,
        digits=1,
        exact=True,
    )


# fmt: off
CLAIMS = [
    difference(
        "descent",
        "Layers with linear h and Q'K = eta I predict what as many steps of gradient "
        "descent predict.",
        Reported(
            "vonoswald2023",
            "proposition 1",
            "weights of a linear layer exist that make one step of gradient descent",
            "reproduced",
        ),
    ),
    difference(
        "preconditioned",
        "With any matrix A in each layer's Q'K the steps are preconditioned by it.",
        Reported(
            "ahn2023",
            "lemma 1",
            "a layer is a step of gradient descent preconditioned by its A",
            "reproduced",
        ),
    ),
    difference(
        "plus_plus",
        "If V also moves x, the layers are steps of GD++.",
        None,
    ),
    difference(
        "functional_relu",
        "With h = relu the layers are gradient descent on a function, with the kernel "
        "relu(<u, v>).",
        None,
    ),
    difference(
        "functional_exp",
        "With h = exp the layers are gradient descent on a function, with an "
        "exponential kernel.",
        None,
    ),
    difference(
        "smoother",
        "One layer with softmax predicts a mean of the examples' y, weighted by "
        "exp(<x_i, x_query>).",
        None,
    ),
    Claim("bent-inputs", lambda m: float(m["loss_bent"][3] / m["loss_plain"][3]), below(0.5), "of the loss",
          "With four layers, bending the inputs leaves less than half of the loss that plain steps leave."),
]
# fmt: on
