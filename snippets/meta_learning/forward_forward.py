"""Do goals of each layer's own give the derivative through a training?

Source: hinton2022, abstract: each layer has a goal of its own, high goodness for real data and low for false; goodness
may be the sum of squared activities, here their mean; section 3.3: the label is a part of the input. franceschi2017
(abstract) for the derivative carried forward. To give the start of a training such goals is our reading, and so is the
task.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.func import grad, jacfwd, vjp

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.streams import streams
from snippets.progress import steps

Step = Callable[..., Tensor]


@dataclass(frozen=True)
class Config:
    d: int = 4  # of a point; its label takes two places more
    width: int = 8
    n_train: int = 16
    n_valid: int = 200
    eta: float = 0.5
    threshold: float = 1.0
    lengths: tuple[int, ...] = (0, 1, 2, 5, 10, 20, 50)  # training steps


PRESETS = {"laptop": Config()}


@dataclass(frozen=True)
class Data:
    """Points with their label, and the same with the other one."""

    real: Float[Tensor, "n d"]
    false: Float[Tensor, "n d"]


def new_data(n: int, rule: Float[Tensor, " d"], generator: Generator) -> Data:
    """Points on either side of a plane; the label, 0 or 1, says which."""
    x = torch.randn(n, len(rule), generator=generator, dtype=torch.float64)
    label: Int[Tensor, " n"] = (x @ rule > 0).long()
    one_hot = F.one_hot(label, 2).double()
    return Data(torch.cat([x, one_hot], 1), torch.cat([x, 1 - one_hot], 1))


# --8<-- [start:layers]
def layers(w: Float[Tensor, " p"], c: Config) -> tuple[Tensor, Tensor]:
    """Two layers' weights in one row of numbers."""
    first = (c.d + 2) * c.width
    return w[:first].view(c.d + 2, c.width), w[first:].view(c.width, c.width)


def up(x: Tensor, W: Tensor) -> Tensor:
    """One layer: of what it reads, the direction alone counts. Softplus for ReLU, so that
    all derivatives exist."""
    return F.softplus(4 * F.normalize(x, dim=-1) @ W) / 4


def goodness(x: Tensor, W: Tensor) -> Float[Tensor, " n"]:
    return up(x, W).square().mean(-1)


def goal(W: Tensor, real: Tensor, false: Tensor, threshold: Tensor) -> Tensor:
    """What one layer minimises: real data above the threshold, false data below it."""
    above_it = F.softplus(threshold - goodness(real, W))
    return (above_it + F.softplus(goodness(false, W) - threshold)).mean()


def local(w: Tensor, data: Data, threshold: Tensor, c: Config) -> Float[Tensor, " p"]:
    """The slope of each layer's own goal by its own weights: nothing is carried back from
    the second layer to the first."""
    W1, W2 = layers(w, c)
    first = grad(goal)(W1, data.real, data.false, threshold)
    second = grad(goal)(W2, up(data.real, W1), up(data.false, W1), threshold)
    return torch.cat([first.flatten(), second.flatten()])


# --8<-- [end:layers]


def judged(w: Tensor, data: Data, c: Config) -> Tensor:
    """The outer loss: does the right label have more goodness, in both layers together?"""
    W1, W2 = layers(w, c)

    def total(x: Tensor) -> Tensor:
        return goodness(x, W1) + goodness(up(x, W1), W2)

    return F.softplus(4 * (total(data.false) - total(data.real))).mean()


# --8<-- [start:ways]
def forward(
    step: Step, start: Step, outer: Callable, h: Tensor, n: int
) -> tuple[Tensor, Tensor]:
    """The weights after n steps, and the derivative of the outer loss by h. Everything
    goes forward: beside the weights w runs J = dw/dh, (p, m)."""
    w, J = start(h, h), jacfwd(lambda h: start(h, h))(h)
    for _ in range(n):
        A, B = jacfwd(step, argnums=(0, 1))(w, h)
        w, J = step(w, h), A @ J + B
    return w, J.T @ grad(outer)(w)


def backward(step: Step, start: Step, outer: Callable, h: Tensor, n: int) -> Tensor:
    """The same derivative, from the end back."""
    path = [start(h, h)]
    for _ in range(n):
        path.append(step(path[-1], h))
    a, dh = grad(outer)(path[-1]), torch.zeros_like(h)
    for w in reversed(path[:-1]):
        a, here = vjp(step, w, h)[1](a)
        dh = dh + here
    return dh + vjp(lambda h: start(h, h), h)[1](a)[0]


# --8<-- [end:ways]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, world = streams(seed, 2)
    c = config
    p = (c.d + 2) * c.width + c.width**2
    theta = torch.randn(p, generator=weights, dtype=torch.float64)
    rule = torch.randn(c.d, generator=world, dtype=torch.float64)
    train, valid = (new_data(n, rule, world) for n in (c.n_train, c.n_valid))
    outer = lambda w: judged(w, valid, c)  # noqa: E731
    set_ = torch.tensor([c.eta, c.threshold], dtype=torch.float64)

    def by_start(w: Tensor, h: Tensor) -> Tensor:  # h is the start
        return w - c.eta * local(w, train, set_[1], c)

    def by_settings(w: Tensor, h: Tensor) -> Tensor:  # h: step size and threshold
        return w - h[0] * local(w, train, h[1], c)

    from_start, from_theta = (lambda h, _: h), (lambda h, _: theta + 0 * h[0])
    cosines, first_order, losses = [], [], []
    for i in steps(len(c.lengths)):
        w, true = forward(by_start, from_start, outer, theta, c.lengths[i])
        own = local(w, valid, set_[1], c)  # each layer's goal on the other points
        cosines.append(cosine(own, true))
        first_order.append(cosine(grad(outer)(w), true))
        losses.append(outer(w).item())
    n = c.lengths[-1]
    at_end = lambda h: outer(forward(by_settings, from_theta, outer, h, n)[0])  # noqa: E731
    settings = forward(by_settings, from_theta, outer, set_, n)[1]
    back = backward(by_settings, from_theta, outer, set_, n)
    start_back = backward(by_start, from_start, outer, theta, n)
    return {
        "T": np.array(c.lengths),
        "cosine": np.array(cosines),
        "first_order": np.array(first_order),
        "loss": np.array(losses),
        "settings": settings.numpy(),
        "differences": off(by_differences(at_end, set_), settings),
        "same": max(off(settings, back), off(true, start_back)),
    }


def by_differences(f: Step, h: Tensor, by: float = 1e-5) -> Tensor:
    """A derivative by each setting, from two values."""
    moves = by * torch.eye(len(h)).to(h)
    return torch.stack([(f(h + move) - f(h - move)) / (2 * by) for move in moves])


def cosine(a: Tensor, b: Tensor) -> float:
    return F.cosine_similarity(a, b, dim=0).item()


def off(a: Tensor, b: Tensor) -> float:
    return ((a - b).norm() / b.norm()).item()


# --8<-- [end:run]
def at(m: Measurements, name: str, T: int) -> float:
    return float(m[name][np.flatnonzero(m["T"] == T)[0]])


# fmt: off
CLAIMS = [
    Claim("forward", lambda m: float(m["same"]), below(1e-12), "of its size",
          "Carried forward, the derivative by the start and by two settings is the one carried back.", exact=True),
    Claim("differences", lambda m: float(m["differences"]), below(1e-6), "of its size",
          "By the settings it is that of finite differences.", exact=True),
    Claim("settings", lambda m: float(abs(m["settings"][0])), above(0.001), "",
          "The outer loss has a slope of over 0.001 in the step size, which no layer's goal contains."),
    Claim("elsewhere", lambda m: at(m, "cosine", 10), below(0.85), "",
          "After ten steps the layers' own goals point elsewhere than the hypergradient: a cosine under 0.85."),
    Claim("end-alone", lambda m: at(m, "first_order", 10), above(0.9), "",
          "The outer slope at the end of ten steps points along it: a cosine over 0.9."),
    Claim("in-the-network", lambda m: abs(at(m, "cosine", 10) - at(m, "cosine", 0)), below(0.3), "",
          "Ten steps of training change that cosine by less than three tenths: what it misses, it misses in the "
          "network, before any step."),
]
# fmt: on
