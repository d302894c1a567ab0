"""Does a language model of mixed documents find out the concept that a prompt's examples
share?

Source: xie2022, section 4 (GINC). Smaller: 4 entities with 6 properties, 9 tokens, 20
concepts, documents of 53 tokens; an LSTM, one of the source's two kinds of network. Beside
it stands the exact predictor, the forward algorithm over all concepts, which needs no
training. Differs: delimiters tell nothing of the concept. Where they are part of its
chain, the one that ends an example is evidence too.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.contract import (
    INCONCLUSIVE,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    between,
)
from snippets.icl.networks.code_readers import LSTMReader
from snippets.icl.streams import streams
from snippets.icl.tasks.concepts import Ginc, World
from snippets.icl.theory import forward_algorithm as forward
from snippets.icl.training.fresh_batches import train


@dataclass(frozen=True)
class Config:
    task: Ginc = field(default_factory=Ginc)
    lengths: tuple[int, ...] = (3, 5)  # k, tokens of an example
    shots: tuple[int, ...] = (0, 1, 2, 4, 8)
    n_positions: int = 53  # of a document: as long as the longest prompt
    d_model: int = 64
    learning_rate: float = 1e-2
    batch: int = 48
    n_steps: int = 600
    n_test: int = 800  # prompts of each kind


PRESETS = {"laptop": Config()}
Predictor = Callable[[Tensor], Tensor]  # tokens -> what follows the last one


def logits(
    network: LSTMReader, tokens: Int[Tensor, "batch pos"]
) -> Float[Tensor, "batch pos token"]:
    one_hot = F.one_hot(tokens, network.W_in.shape[0])
    return network(one_hot.float())


# --8<-- [start:predictors]
def predictors(world: World, network: LSTMReader) -> dict[str, Predictor]:
    """Who answers: the network; the forward algorithm whose prior is the concepts of
    training; and the one whose prior is the concepts that no document had."""
    return {
        "network": lambda tokens: logits(network, tokens)[:, -1],
        "oracle": lambda tokens: forward.predict(world.seen, tokens)[0][:, -1],
        "other": lambda tokens: forward.predict(world.unseen, tokens)[0][:, -1],
    }


@torch.no_grad()
def accuracies(
    world: World, network: LSTMReader, c: Config, test: Generator
) -> dict[str, Float[np.ndarray, "length shot"]]:
    """How often each names the likeliest next token, by kind of prompt."""
    kinds = {"seen": world.seen, "unseen": world.unseen}
    found: dict[str, Any] = {}
    for kind, mixture in kinds.items():
        for k in c.lengths:
            for shots in c.shots:
                prompt, label = world.prompts(mixture, c.n_test, shots, k, test)
                for name, predict in predictors(world, network).items():
                    right = (predict(prompt).argmax(1) == label).double().mean()
                    found.setdefault(f"{kind}: {name}", []).append(right.item())
                usual = label.bincount().max() / len(label)  # always the same answer
                found.setdefault(f"{kind}: usual", []).append(usual.item())
    return {
        name: np.array(v, np.float32).reshape(len(c.lengths), -1)
        for name, v in found.items()
    }


# --8<-- [end:predictors]


@torch.no_grad()
def on_documents(
    world: World, network: LSTMReader, c: Config, test: Generator
) -> dict[str, np.ndarray]:
    """At each place of a document: distance from the exact predictor in nats, its loss,
    and the largest posterior of a concept."""
    tokens = world.documents(500, c.n_positions, test)
    exact, concepts = forward.predict(world.seen, tokens[:, :-1])
    ours = logits(network, tokens[:, :-1]).double().log_softmax(-1)
    kl = (torch.xlogy(exact, exact) - exact * ours).sum(-1).mean(0)
    following = tokens[:, 1:, None]
    loss = -ours.gather(2, following).mean((0, 2))
    least = -exact.gather(2, following).log().mean((0, 2))
    sure = concepts.amax(2).mean(0)
    names = ("distance", "loss", "exact_loss", "sure")
    return dict(
        zip(names, np.array([a.numpy() for a in (kl, loss, least, sure)], np.float32))
    )


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    c = config
    fixed, weights, data, test = streams(seed, 4)
    world = World(c.task, fixed)
    n_tokens = c.task.n_tokens
    network = LSTMReader(n_tokens, n_tokens, c.d_model, weights)

    def batch_loss() -> Float[Tensor, ""]:
        tokens = world.documents(c.batch, c.n_positions, data)
        guess = logits(network, tokens[:, :-1])
        return F.cross_entropy(guess.flatten(0, 1), tokens[:, 1:].flatten())

    for _ in train(network, batch_loss, c.n_steps, c.learning_rate, clip=1.0):
        pass
    return {
        "shots": np.array(c.shots),
        **accuracies(world, network, c, test),
        **on_documents(world, network, c, test),
        "n_parameters": sum(w.numel() for w in network.parameters()),
    }


# --8<-- [end:run]


def gain(kind: str, who: str, k: int = 1) -> Callable[[Measurements], float]:
    """Accuracy with the most examples, less that with none; k = 1: of five tokens."""
    return lambda m: float(m[f"{kind}: {who}"][k, -1] - m[f"{kind}: {who}"][k, 0])


def last(kind: str, who: str, k: int = 1) -> Callable[[Measurements], float]:
    return lambda m: float(m[f"{kind}: {who}"][k, -1])


def told(m: Measurements) -> float:
    """What it is worth on unseen concepts to have them in one's prior."""
    return last("unseen", "other")(m) - last("unseen", "oracle")(m)


def only_seen(m: Measurements) -> float:
    """What examples gain on concepts of training, less what they gain on others."""
    return gain("seen", "oracle")(m) - gain("unseen", "oracle")(m)


def share_gained(m: Measurements) -> float:
    """What examples gain the LSTM, as a share of what they gain the exact predictor."""
    return gain("seen", "network")(m) / gain("seen", "oracle")(m)


# fmt: off
CLAIMS = [
    Claim("exact-gains", gain("seen", "oracle"), above(0.1), "",
          "With eight examples of five tokens the exact predictor is right in over 10 more of 100 than without."),
    Claim("gains", share_gained, below(1), "",
          "The LSTM gains less than that; how much less differs by seed, and longer training would have to tell.",
          Reported("xie2022", "abstract", "Transformers and LSTMs both show in-context learning", INCONCLUSIVE)),
    Claim("behind", lambda m: last("seen", "oracle")(m) - last("seen", "network")(m), above(0.03), "",
          "With eight examples it is behind the exact predictor by over 3 cases in 100."),
    Claim("longer", lambda m: last("seen", "oracle")(m) - last("seen", "oracle", 0)(m), above(0.08), "",
          "With examples of five tokens instead of three the exact predictor is right in over 8 more of 100."),
    Claim("unseen", only_seen, above(0.03), "",
          "On concepts of training examples gain it over 3 cases in 100 more than on concepts that no document had."),
    Claim("told", told, above(0.08), "",
          "With the latter in its prior it would be right in over 8 more cases of 100."),
    Claim("far", lambda m: float(m["distance"].mean()), between(0.03, 0.25), "nats",
          "Over documents the LSTM is between 0.03 and 0.25 nats from the exact predictor."),
    Claim("sure", lambda m: float(m["sure"][15]), between(0.3, 0.9), "",
          "After 16 tokens the likeliest concept has between 30 and 90 in 100 of the posterior, on average."),
]
# fmt: on
