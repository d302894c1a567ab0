"""Does a network that is trained on draws from a prior compute the posterior?

Source: muller2022 (prior-data fitted networks), on a Gaussian process. Smaller: one input
dimension, at most 10 points, 3 layers of 64 dimensions instead of 6 of 512. The answer is
a normal law (mean and standard deviation), where the source has a histogram of bars; the
form of the answer is given here, its numbers are not. Inputs come with sines and cosines.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    between,
)
from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.streams import streams
from snippets.icl.theory import gaussian_process as gp
from snippets.icl.training.fresh_batches import train


@dataclass(frozen=True)
class Config:
    length: float = 0.2  # of the kernel: how far a point tells of others
    noise: float = 0.2  # standard deviation
    most: int = 10  # points in a prompt
    n_queries: int = 10
    n_waves: int = 4  # sines and cosines that stand for x
    d_model: int = 64
    n_layers: int = 3
    n_heads: int = 4
    learning_rate: float = 2e-3
    batch: int = 64
    n_steps: int = 800
    evaluate_every: int = 100
    n_test: int = 500  # prompts of each size
    sizes: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 30, 40)


PRESETS = {"laptop": Config()}
LEVELS = np.array([0.025, *np.arange(0.05, 0.951, 0.05), 0.975])  # of the quantiles
POINTS = ((0.62, 0.9), (0.2, -0.8), (0.75, 0.5), (0.33, -0.3), (0.9, -0.6))
SHOWN = (0, 2, 5)  # how many of them a picture shows


@dataclass(frozen=True)
class Prompts:
    x: Float[Tensor, "batch n"]
    y: Float[Tensor, "batch n"]
    query: Float[Tensor, "batch m"]
    answer: Float[Tensor, "batch m"]  # noisy, as the points are


# --8<-- [start:prompts]
def draw(c: Config, batch: int, n: int, generator: Generator) -> Prompts:
    """A function of its own for each prompt; n points of it, and queries."""
    x = torch.rand(batch, n + c.n_queries, generator=generator)
    f = gp.draw(x, c.length, generator)
    y = f + c.noise * torch.randn(f.shape, generator=generator)
    return Prompts(x[:, :n], y[:, :n], x[:, n:], y[:, n:])


# --8<-- [end:prompts]


# --8<-- [start:predict]
def place(x: Float[Tensor, "batch n"], n_waves: int) -> Float[Tensor, "batch n w"]:
    """x as it is read: a constant, x, and waves of growing frequency."""
    turns = torch.pi * torch.arange(1, n_waves + 1) * x[..., None]
    return torch.cat(
        [torch.ones_like(x)[..., None], x[..., None], turns.sin(), turns.cos()], -1
    )


def may_read(n: int, m: int) -> Bool[Tensor, "pos pos"]:
    """Every token may read all points and itself; queries do not see each other."""
    mask = torch.eye(n + m, dtype=torch.bool)
    mask[:, :n] = True
    return mask


def predict(
    network: MaskedTransformer, c: Config, x: Tensor, y: Tensor, query: Tensor
) -> tuple[Float[Tensor, "batch m"], Float[Tensor, "batch m"]]:
    """Mean and standard deviation of y at each query."""
    gp.check_points(x, y, c.noise)
    n, m = x.shape[1], query.shape[1]
    places = place(torch.cat([x, query], 1), c.n_waves)
    values = torch.cat([y, torch.zeros_like(query)], 1)
    asked = torch.cat([torch.zeros_like(y), torch.ones_like(query)], 1)
    tokens = torch.cat([places, values[..., None], asked[..., None]], -1)
    out = network(tokens, may_read(n, m))[:, n:]
    return out[..., 0], out[..., 1].clamp(-4, 2).exp()


def surprise(mean: Tensor, sd: Tensor, y: Tensor) -> Tensor:
    """-log of the normal density at y, in nats."""
    return sd.log() + 0.5 * ((y - mean) / sd) ** 2 + 0.5 * np.log(2 * np.pi)


# --8<-- [end:predict]


# --8<-- [start:distance]
def exact(c: Config, p: Prompts) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the answer, by the posterior."""
    x, y, query = p.x.double(), p.y.double(), p.query.double()
    band = gp.posterior(x, y, query, c.length, c.noise)
    return band.mean, (band.variance + c.noise**2).sqrt()


def distance(mean: Tensor, sd: Tensor, by_mean: Tensor, by_sd: Tensor) -> Tensor:
    """KL of a normal law from the one that stands for it, in nats: how much the second
    loses on average, on draws from the first."""
    return (by_sd / sd).log() + (sd**2 + (mean - by_mean) ** 2) / (2 * by_sd**2) - 0.5


# --8<-- [end:distance]


@torch.no_grad()
def by_size(network: MaskedTransformer, c: Config, test: Generator) -> Measurements:
    """Losses and distance with n points, in nats, each the mean over fresh prompts."""
    found = []
    for n in c.sizes:
        p = draw(c, c.n_test, n, test)
        ours, best = predict(network, c, p.x, p.y, p.query), exact(c, p)
        kl = distance(*best, *(o.double() for o in ours))
        found.append(
            [
                surprise(*ours, p.answer).mean(),
                surprise(*best, p.answer).mean(),
                kl.mean(),
            ]
        )
    names = ("loss", "exact_loss", "distance")
    return dict(zip(names, np.array(found, np.float32).T))


# --8<-- [start:calibration]
@torch.no_grad()
def calibration(network: MaskedTransformer, c: Config, test: Generator) -> Measurements:
    """How often the answer lies below each quantile that is announced: by the network,
    and by the posterior. Over prompts of 1 to `most` points."""
    below_it: dict[str, list[Tensor]] = {"network": [], "posterior": []}
    for n in range(1, c.most + 1):
        p = draw(c, c.n_test, n, test)
        laws = {
            "network": predict(network, c, p.x, p.y, p.query),
            "posterior": exact(c, p),
        }
        for name, (mean, sd) in laws.items():
            z = (p.answer - mean) / sd
            below_it[name].append(torch.special.ndtr(z).flatten())
    return {
        f"below_{name}": np.array(
            [(torch.cat(v) < q).double().mean() for q in LEVELS], np.float32
        )
        for name, v in below_it.items()
    }


# --8<-- [end:calibration]


# --8<-- [start:coherence]
def chain(
    law: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]], p: Prompts
) -> Float[Tensor, "batch"]:
    """log p(a) p(b | a) - log p(b) p(a | b) of two answers, given the points: 0 for
    whatever is one joint law of both."""

    def log_p(first: int, second: int) -> Tensor:
        query, answer = p.query[:, [first]], p.answer[:, [first]]
        one = -surprise(*law(p.x, p.y, query), answer)
        x, y = torch.cat([p.x, query], 1), torch.cat([p.y, answer], 1)
        then = law(x, y, p.query[:, [second]])
        return (one - surprise(*then, p.answer[:, [second]]))[:, 0]

    return log_p(0, 1) - log_p(1, 0)


@torch.no_grad()
def coherence(network: MaskedTransformer, c: Config, test: Generator) -> Measurements:
    """By how many nats two orders of two answers disagree; and by how much the mean moves
    when the points come in another order."""
    p = draw(c, c.n_test, c.most // 2, test)
    ours = chain(partial(predict, network, c), p)
    best = chain(lambda x, y, q: exact(c, Prompts(x, y, q, q)), p)
    order = torch.randperm(p.x.shape[1], generator=test)
    mean, _ = predict(network, c, p.x, p.y, p.query)
    turned, _ = predict(network, c, p.x[:, order], p.y[:, order], p.query)
    return {
        "incoherent": ours.abs().mean().item(),
        "incoherent_exact": best.abs().max().item(),
        "moved_by_order": (mean - turned).abs().max().item(),
    }


# --8<-- [end:coherence]


@torch.no_grad()
def shown(network: MaskedTransformer, c: Config) -> Measurements:
    """Both answers for the same few points, on every seed: (points, mean and sd, x)."""
    query, points = torch.linspace(0, 1, 81)[None], torch.tensor(POINTS)
    pictures, best = [], []
    for n in SHOWN:
        x, y = points[None, :n, 0], points[None, :n, 1]
        pictures.append(torch.stack(predict(network, c, x, y, query))[:, 0])
        best.append(torch.stack(exact(c, Prompts(x, y, query, query)))[:, 0])
    return {
        "picture": torch.stack(pictures).numpy(),
        "picture_exact": torch.stack(best).float().numpy(),
    }


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    c = config
    weights, data, held_out, test = streams(seed, 4)
    d_in = 2 * c.n_waves + 4  # 1, x, its waves, y, whether it is asked
    network = MaskedTransformer(d_in, 2, c.d_model, c.n_layers, c.n_heads, weights)

    def batch_loss() -> Float[Tensor, ""]:
        n = int(torch.randint(c.most + 1, (), generator=data))
        p = draw(c, c.batch, n, data)
        return surprise(*predict(network, c, p.x, p.y, p.query), p.answer).mean()

    step, history = [], []
    some = draw(c, 200, c.most, held_out)
    for done in train(network, batch_loss, c.n_steps, c.learning_rate, clip=1.0):
        if done % c.evaluate_every == 0:
            with torch.no_grad():
                ours = predict(network, c, some.x, some.y, some.query)
            step.append(done)
            history.append(
                distance(*exact(c, some), *(o.double() for o in ours)).mean()
            )
    return {
        "step": np.array(step),
        "history": np.array(history, np.float32),
        "points": np.array(c.sizes),
        **by_size(network, c, test),
        **calibration(network, c, test),
        **coherence(network, c, test),
        **shown(network, c),
        "n_parameters": sum(w.numel() for w in network.parameters()),
    }


# --8<-- [end:run]


def at(name: str, n: int) -> Callable[[Measurements], float]:
    return lambda m: float(m[name][list(m["points"]).index(n)])


def learned(m: Measurements) -> float:
    """The share that the network gets of what ten points are worth to the posterior."""
    gained = at("loss", 0)(m) - at("loss", 10)(m)
    return gained / (at("exact_loss", 0)(m) - at("exact_loss", 10)(m))


# fmt: off
CLAIMS = [
    Claim("near", lambda m: float(m["distance"][m["points"] <= 10].max()), below(0.09), "nats",
          "With 0 to 10 points the network is less than 0.09 nats from the posterior.",
          Reported("muller2022", "abstract", "such networks near-perfectly mimic Gaussian processes", SMALLER)),
    Claim("gained", learned, above(0.92), "",
          "Of what ten points are worth to the posterior the network gains more than 92 in 100."),
    Claim("grows", lambda m: at("distance", 10)(m) / at("distance", 1)(m), above(1.5), "times",
          "The distance is over one and a half times as large with ten points as with one."),
    Claim("calibrated", lambda m: float(np.abs(m["below_network"] - LEVELS).max()), below(0.03), "",
          "The answer lies below each announced quantile as often as announced, to within three in a hundred."),
    Claim("band", lambda m: float(m["below_network"][-1] - m["below_network"][0]), between(0.925, 0.97), "",
          "Its 95 % band holds 92.5 to 97 in 100 answers."),
    Claim("order", lambda m: m["moved_by_order"], below(1e-4), "",
          "The order of the points moves no mean by more than rounding.", exact=True),
    Claim("coherent-exact", lambda m: m["incoherent_exact"], below(1e-6), "nats",
          "For the posterior, a then b and b then a have the same probability.", exact=True),
    Claim("incoherent", lambda m: m["incoherent"], above(0.04), "nats",
          "For the network the two differ by over 0.04 nats on average."),
    Claim("beyond", lambda m: at("loss", 10)(m) - at("loss", 40)(m), above(0.1), "nats",
          "With 40 points, four times as many as in training, its loss is lower by over 0.1 nats than with ten."),
    Claim("beyond-near", at("distance", 40), below(0.15), "nats",
          "There it is less than 0.15 nats from the posterior."),
]
# fmt: on
