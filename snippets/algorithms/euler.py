"""If a layer is a step of gradient descent, what do half the step and twice the layers
do?

Source: chen2018, section 1: a residual network is an Euler discretisation; its limit is
an ordinary differential equation. Ours: for the constructed layers on in-context linear
regression the limit, and the distance to it, are known exactly. Nothing is trained.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from snippets.contract import Claim, Measurements, above, below, between, equals
from snippets.icl.networks.folded import fold
from snippets.icl.networks.simple_transformer import one_step
from snippets.icl.networks.stacked import walk
from snippets.icl.streams import streams
from snippets.icl.tasks.linear_regression import Prompts, draw_prompts
from snippets.icl.theory import flows, oracles
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    d: int = 4
    n: int = 12
    time: float = 4.0  # step size times number of layers
    n_prompts: int = 200


PRESETS = {"laptop": Config()}
LAYERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


# --8<-- [start:built]
def answers(prompts: Prompts, n_layers: int, time: float) -> Tensor:
    """Of n_layers constructed layers, each one step of size time / n_layers; after each
    of them, (layer_and_1, batch)."""
    d = prompts.x.shape[-1]
    W_V, W_Q, W_K = one_step(torch.eye(d, dtype=prompts.x.dtype), time / n_layers)
    return walk(fold(prompts.tokens()), [(W_V, W_K.mT @ W_Q)] * n_layers)


# --8<-- [end:built]


# --8<-- [start:flow]
def flowing(prompts: Prompts, time: float) -> tuple[Tensor, Tensor, float]:
    """The answers of the flow and its first-order correction, (batch,), and the largest
    difference between three ways to compute the flow."""
    ends, corrections, apart = [], [], 0.0
    for x, y in zip(prompts.x, prompts.y):
        C, b = flows.of_examples(x[:-1], y[:-1])
        end = flows.flow(C, b, time)
        others = (
            f(C, b, time) for f in (flows.flow_by_exponential, flows.flow_by_steps)
        )
        apart = max(apart, *((end - w).abs().max().item() for w in others))
        ends.append(x[-1] @ end)
        corrections.append(x[-1] @ flows.first_order(C, b, time))
    return torch.stack(ends), torch.stack(corrections), apart


# --8<-- [end:flow]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    (data,) = streams(seed, 1)
    c, double = config, torch.float64
    prompts = draw_prompts(c.n_prompts, c.n, c.d, data, dtype=double)
    end, correction, apart = flowing(prompts, c.time)
    size = end.square().mean().sqrt()
    off, ratios = [], []
    for _, n_layers in zip(steps(len(LAYERS)), LAYERS):
        error = answers(prompts, n_layers, c.time)[-1] - end
        off.append((error.square().mean().sqrt() / size).item())
        ratios.append(
            ((n_layers * error * correction).mean() / correction.square().mean()).item()
        )
    x, y = prompts.x[:, :-1], prompts.y[:, :-1]
    eye = torch.eye(c.d, dtype=double)
    descent = oracles.descend(x, y, [c.time / 64 * eye] * 64)  # (step, batch, d)
    built = answers(prompts, 64, c.time)
    return {
        "off": np.array(off),
        "of_first_order": np.array(ratios),
        "three_ways": apart,
        "unlike_descent": ((descent * prompts.x[:, -1]).sum(-1) - built)
        .abs()
        .max()
        .item(),
        "longest": np.median([flows.longest_step(C) for C in x.mT @ x / c.n]),
    }


# --8<-- [end:run]


def order(m: Measurements) -> float:
    """The exponent p in error ~ 1 / L^p, from 64 layers to 1024."""
    many = slice(LAYERS.index(64), None)
    return -float(np.polyfit(np.log(LAYERS[many]), np.log(m["off"][many]), 1)[0])


def at(m: Measurements, n_layers: int) -> float:
    return float(m["off"][LAYERS.index(n_layers)])


# fmt: off
CLAIMS = [
    Claim("descent", lambda m: float(m["unlike_descent"]), equals(0, 1e-10), "",
          "64 constructed layers give the answers of 64 steps of gradient descent, after each of them.", exact=True),
    Claim("three-ways", lambda m: float(m["three_ways"]), equals(0, 1e-9), "",
          "Eigenvectors, a matrix exponential and a solver give one gradient flow.", exact=True),
    Claim("order", order, between(0.97, 1.03), "",
          "From 64 to 1,024 layers the distance to the flow falls as 1 / L: the exponent is within 0.03 of 1.",
          digits=3),
    Claim("constant", lambda m: float(m["of_first_order"][-1]), between(0.97, 1.03), "of the predicted",
          "At 1,024 layers the distance, times their number, is within 3 percent of the predicted one.", digits=3),
    Claim("few", lambda m: at(m, 2), above(1), "of the answers' size",
          "Two layers that share the whole time are further from the flow than the answers are long."),
    Claim("many", lambda m: at(m, 128), below(0.01), "of the answers' size",
          "128 layers are within 1 percent of the flow."),
]
# fmt: on
