"""How do more features than dimensions share the room, and can they be found again?

Source: elhage2022, abstract (sparse features are stored in superposition); cunningham2023,
abstract (a sparse autoencoder finds directions). Here: 20 features in 5 dimensions, and
the autoencoder is asked for directions that are known. Its price on what is on, 0.7, was
chosen on other seeds.
"""

import math
from collections.abc import Callable
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
    above,
    below,
    between,
)
from snippets.icl.networks.packed import (
    Packed,
    SparseAutoencoder,
    recovered,
    sparse_features,
)
from snippets.icl.streams import streams
from snippets.progress import steps

WAYS = ("autoencoder", "data points", "random", "principal")


@dataclass(frozen=True)
class Config:
    n_features: int = 20
    n_dims: int = 5
    probabilities: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03, 0.01)  # that one is on
    sizes: tuple[int, ...] = (10, 20, 40)  # of the dictionary
    price: float = 0.7
    learning_rate: float = 0.01  # of Adam, to zero as a cosine
    n_pack: int = 1000  # steps
    n_find: int = 1000
    batch: int = 256
    n_vectors: int = 512  # that the autoencoder sees at each step
    n_points: int = 4096


PRESETS = {"laptop": Config()}


# --8<-- [start:fit]
def fit(
    model: nn.Module, loss: Callable[[], Tensor], rate: float, n_steps: int
) -> None:
    """Descend the sum of the networks' losses; the rate falls to zero as a cosine."""
    optimizer = torch.optim.Adam(model.parameters(), rate)
    for step in range(n_steps):
        optimizer.param_groups[0]["lr"] = (
            rate * (1 + math.cos(math.pi * step / n_steps)) / 2
        )
        optimizer.zero_grad()
        loss().sum().backward()
        optimizer.step()


def pack(config: Config, weights: Generator, data: Generator) -> Packed:
    """A network for each probability, trained to give its features back."""
    chance = torch.tensor(config.probabilities)
    network = Packed(len(chance), config.n_features, config.n_dims, weights)

    def loss() -> Float[Tensor, "net"]:
        x = sparse_features(chance, config.n_features, config.batch, data)
        return (network(x) - x).square().sum(-1).mean(1) / chance

    fit(network, loss, config.learning_rate, config.n_pack)
    return network


def find(
    config: Config,
    W: Float[Tensor, "net feature dim"],
    size: int,
    both: tuple[Generator, Generator],
) -> Float[Tensor, "net item dim"]:
    """The directions of a sparse autoencoder for each network, from its hidden vectors
    alone: they have mean square 1 where something is on, and so has the loss."""
    weights, data = both
    chance = torch.tensor(config.probabilities)
    sae = SparseAutoencoder(len(chance), size, config.n_dims, weights)
    some = 1 - (1 - chance) ** config.n_features  # how often anything is on
    x = sparse_features(chance, config.n_features, config.n_points, data)
    scale = ((x @ W).square().sum(-1).mean(1) / some).sqrt()[:, None, None]

    def loss() -> Float[Tensor, "net"]:
        x = sparse_features(chance, config.n_features, config.n_vectors, data)
        return sae.loss(x @ W / scale, config.price) / some

    fit(sae, loss, config.learning_rate, config.n_find)
    return sae.directions().detach()


# --8<-- [end:fit]


# --8<-- [start:rivals]
def rivals(
    h: Float[Tensor, "batch dim"], size: int, generator: Generator
) -> dict[str, Float[Tensor, "item dim"]]:
    """Dictionaries of the same size that need no training: hidden vectors as they come,
    random directions, and principal components with either sign, of which there are
    twice as many as dimensions."""
    axes = torch.linalg.svd(h - h.mean(0), full_matrices=False).Vh
    return {
        "data points": h[h.norm(dim=-1) > 1e-6][:size],
        "random": torch.randn(size, h.shape[-1], generator=generator),
        "principal": torch.cat([axes, -axes])[:size],
    }


# --8<-- [end:rivals]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, sae, more, points = streams(seed, 5)
    W = pack(config, weights, data).W.detach()
    length = W.norm(dim=-1)  # (net, feature)
    chance = torch.tensor(config.probabilities)
    h = sparse_features(chance, config.n_features, config.n_points, points) @ W
    found = np.zeros((len(WAYS), len(config.sizes), len(chance)))
    for i in steps(len(config.sizes)):
        size = config.sizes[i]
        D = find(config, W, size, (sae, more))
        for net in range(len(chance)):
            kept = W[net][length[net] > 0.5]
            dictionaries = {"autoencoder": D[net], **rivals(h[net], size, points)}
            for way, name in enumerate(WAYS):
                found[way, i, net] = recovered(kept, dictionaries[name])
    return {
        "kept": (length > 0.5).sum(-1).numpy(),
        "found": found,  # (way, size, probability)
    }


# --8<-- [end:run]


def found(way: str, size: int, net: int) -> Callable[[Measurements], float]:
    """Share of the kept features that a way finds with the dictionary number `size`."""
    return lambda m: float(m["found"][WAYS.index(way), size, net])


# fmt: off
CLAIMS = [
    Claim("kept-dense", lambda m: float(m["kept"][0]), below(14), "features",
          "Where all features are on at once, the network keeps fewer than 14 of 20."),
    Claim("kept-sparse", lambda m: float(m["kept"][-1]), above(15), "features",
          "Where each is on once in a hundred, it keeps more than 15, in five dimensions.",
          Reported("elhage2022", "introduction", "sparse features are stored in superposition", SMALLER)),
    Claim("found-sparse", found("autoencoder", 2, 3), above(0.75), "",
          "With 40 directions the autoencoder finds over three quarters of the kept features, on 3 times in 100 each."),
    Claim("found-rarer", found("autoencoder", 2, 4), above(0.75), "",
          "And as many where each is on once in a hundred."),
    Claim("found-dense", found("autoencoder", 2, 0), below(0.6), "",
          "Where all are on at once it finds fewer than six in ten."),
    Claim("random", found("random", 2, 4), below(0.6), "", "Forty random directions meet fewer than six in ten."),
    Claim("principal", found("principal", 2, 4), below(0.4), "",
          "The principal components meet fewer than four in ten."),
    Claim("small", found("autoencoder", 0, 4), below(0.6), "",
          "A dictionary of ten, for 20 features, finds fewer than six in ten."),
    Claim("points", found("data points", 2, 4), above(0.5), "",
          "Forty hidden vectors as they come meet more than half of the features that are on once in a hundred."),
    Claim("no-winner", lambda m: found("autoencoder", 1, 4)(m) - found("data points", 1, 4)(m), between(-0.3, 0.5), "",
          "With 20 directions it is ahead of 20 hidden vectors by less than half of the features, or behind."),
]
# fmt: on
