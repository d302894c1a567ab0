"""What does attention do in a transformer, and what does the MLP do?

Source: elhage2021 for the residual stream as a sum, and for attention as the part that
moves information between tokens. The task, dominoes, is ours: four questions at each
tile, of which one needs nothing, one attention, one the MLP, and one both.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, below, equals
from snippets.icl.networks.one_layer import QUESTIONS, OneLayer, Transformer
from snippets.icl.networks.positional_encodings import Nowhere
from snippets.icl.networks.self_attention import centred, layer_norm, spread
from snippets.icl.streams import streams
from snippets.icl.training.fresh_batches import train, trained


@dataclass(frozen=True)
class Config(OneLayer):
    missing: tuple[str, ...] = ()  # parts that are absent from the first step on
    batch: int = 64
    n_steps: int = 300
    learning_rate: float = 3e-3
    n_test: int = 512  # rows of tiles


PRESETS = {
    "laptop": {
        "whole": Config(),
        "no-attention": Config(missing=("attention",)),
        "no-mlp": Config(missing=("MLP",)),
        "neither": Config(missing=("attention", "MLP")),
    },
}


# --8<-- [start:task]
def draw_tiles(
    n_rows: int, n_tiles: int, n_values: int, generator: Generator
) -> Int[Tensor, "row tile 2"]:
    """Rows of dominoes: two halves each, all values equally likely."""
    return torch.randint(n_values, (n_rows, n_tiles, 2), generator=generator)


def answers(
    tiles: Int[Tensor, "row tile 2"], n_values: int
) -> Int[Tensor, "row tile_after_first 4"]:
    """The answers to the four questions at each tile but the first."""
    left, right = tiles.unbind(-1)
    own_left, own_right, neighbour = left[:, 1:], right[:, 1:], right[:, :-1]
    return torch.stack(
        [
            own_right,
            neighbour,
            (own_left + own_right) % n_values,
            (neighbour + own_left) % n_values,  # the two halves that touch
        ],
        -1,
    )


# --8<-- [end:task]


# --8<-- [start:decompose]
def contributions(
    network: Transformer, writes: dict[str, Float[Tensor, "row tile d_model"]]
) -> dict[str, Float[Tensor, "row tile 4 value"]]:
    """The part of each logit that comes from each write. They add up to the logits.

    The final norm takes off the mean, which is linear, and divides by one number for
    each token. That number is computed once, from the whole stream.
    """
    # --8<-- [start:sum]
    divisor = spread(torch.stack(list(writes.values())).sum(0))
    return {
        name: network.unembed(centred(write) / divisor)
        for name, write in writes.items()
    }
    # --8<-- [end:sum]


def lift(
    logits: Float[Tensor, "row tile 4 value"],
    right: Int[Tensor, "row tile_after_first 4"],
) -> Float[Tensor, "4"]:
    """How far the right answer's logit lies above the mean of the others: the mean over
    tiles, for each question."""
    logits = logits[:, 1:]
    n_values = logits.shape[-1]
    its_own = logits.gather(-1, right[..., None])[..., 0]
    others = (logits.sum(-1) - its_own) / (n_values - 1)
    return (its_own - others).mean((0, 1))


# --8<-- [end:decompose]


# --8<-- [start:ablate]
def accuracy(
    network: Transformer, tiles: Int[Tensor, "row tile 2"], off: Collection[str] = ()
) -> np.ndarray:
    """Share of right answers to each question, with some parts switched off."""
    right = answers(tiles, network.config.n_values)
    guess = network(tiles, off)[0][:, 1:].argmax(-1)
    return (guess == right).double().mean((0, 1)).numpy()


def loss_by_question(
    logits: Float[Tensor, "row tile 4 value"],
    right: Int[Tensor, "row tile_after_first 4"],
) -> np.ndarray:
    """Mean loss of each question, in nats."""
    guess = logits[:, 1:].log_softmax(-1).gather(-1, right[..., None])[..., 0]
    return -guess.mean((0, 1)).numpy()


def moved_by_neighbours(
    network: Transformer, tiles: Int[Tensor, "row tile 2"], off: Collection[str] = ()
) -> float:
    """Replace all tiles but the last: how far the last tile's logits move, at most."""
    other = tiles.flip(0)
    other[:, -1] = tiles[:, -1]
    before, after = network(tiles, off)[0], network(other, off)[0]
    return (before - after)[:, -1].abs().max().item()


# --8<-- [end:ablate]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, test = streams(seed, 3)
    c, network = config, Transformer(config, weights)

    def batch_loss() -> Float[Tensor, ""]:
        tiles = draw_tiles(c.batch, c.n_tiles, c.n_values, data)
        logits, _ = network(tiles, c.missing)
        right = answers(tiles, c.n_values).flatten()
        return F.cross_entropy(logits[:, 1:].flatten(0, 2), right)

    trained(network, train(network, batch_loss, c.n_steps, c.learning_rate, 30, 0.5))
    tiles = draw_tiles(c.n_test, c.n_tiles, c.n_values, test)
    return measure(
        network.double(), tiles, c.missing
    )  # 64 bits: what is exact shows as such


# --8<-- [end:run]


def measure(
    network: Transformer, tiles: Int[Tensor, "row tile 2"], off: Collection[str]
) -> Measurements:
    """Who wrote what, and what is left without whom."""
    logits, writes = network(tiles, off)
    parts = contributions(network, writes)
    total = torch.stack(list(parts.values())).sum(0)
    right = answers(tiles, network.config.n_values)
    _, pattern = network.attention(layer_norm(embedded(writes)), Nowhere())
    previous = pattern.diagonal(-1, 2, 3).mean((0, 2)).sort().values  # of each head
    return {
        "accuracy": accuracy(network, tiles, off),
        "loss": loss_by_question(logits, right),
        "accuracy_no_attention": accuracy(network, tiles, [*off, "attention"]),
        "accuracy_no_mlp": accuracy(network, tiles, [*off, "MLP"]),
        "decomposition_error": (
            (total - logits).abs().max() / logits.abs().max()
        ).item(),
        "lift": np.stack([lift(part, right).numpy() for part in parts.values()]),
        "previous_best": previous[-1].item(),
        "previous_other": previous[0].item(),
        "moved_no_attention": moved_by_neighbours(network, tiles, [*off, "attention"]),
        "n_parameters": sum(p.numel() for p in network.parameters()),
    }


def embedded(writes: dict[str, Tensor]) -> Float[Tensor, "row tile d_model"]:
    return writes["left half"] + writes["right half"] + writes["position"]


WRITERS = ("left half", "right half", "position", "attention", "MLP")


def lift_by_writer(m: Measurements) -> np.ndarray:
    """(writer, question): the heads taken together as attention."""
    lift = m["lift"]
    return np.concatenate([lift[:3], lift[3:-1].sum(0, keepdims=True), lift[-1:]])


def share(m: Measurements, writer: str, question: str) -> float:
    """Which part of a question's lift a writer has written."""
    lift = lift_by_writer(m)[:, QUESTIONS.index(question)]
    return float(lift[WRITERS.index(writer)] / lift.sum())


def at(m: Measurements, name: str, *questions: str) -> list[float]:
    return [float(m[name][QUESTIONS.index(question)]) for question in questions]


def attention_computes(m: Measurements) -> float:
    """Right answers to the own sum with attention alone, less those with neither."""
    own_sum = QUESTIONS[2]
    return (
        at(m["no-mlp"], "accuracy", own_sum)[0]
        - at(m["neither"], "accuracy", own_sum)[0]
    )


def off_chance(m: Measurements, name: str) -> float:
    """Distance from 1/7 of accuracy on the questions about the neighbour."""
    return max(abs(x - 1 / 7) for x in at(m, name, QUESTIONS[1], QUESTIONS[3]))


# fmt: off
CLAIMS = [
    Claim("learns", lambda m: float(m["whole"]["accuracy"].min()), above(0.98), "",
          "The whole network answers each question right in over 98 of 100 tiles.",
          digits=3),
    Claim("adds-up", lambda m: float(m["whole"]["decomposition_error"]), below(1e-12), "of the largest logit",
          "The parts written by embeddings, position, heads and MLP add up to the logits, within a millionth "
          "of a millionth.", exact=True),
    Claim("attention-writes", lambda m: share(m["whole"], "attention", "neighbour's half"), above(0.7), "of it",
          "Attention writes over seven tenths of the answer to the neighbour's half."),
    Claim("mlp-writes", lambda m: min(share(m["whole"], "MLP", q) for q in QUESTIONS[2:]), above(0.9), "of them",
          "The MLP writes over nine tenths of the answers to both sums."),
    Claim("indirect", lambda m: abs(share(m["whole"], "attention", "touching sum")), below(0.1), "of it",
          "Attention writes under a tenth of the answer to the touching sum."),
    Claim("deaf", lambda m: float(m["whole"]["moved_no_attention"]), equals(0.0), "",
          "Without attention, other tiles do not move a logit at all.", exact=True),
    Claim("attention-off", lambda m: off_chance(m["whole"], "accuracy_no_attention"), below(0.03), "",
          "Without attention both questions about the neighbour are answered at chance, 1/7, as they must be, "
          "up to 0.03."),
    Claim("attention-off-keeps", lambda m: min(at(m["whole"], "accuracy_no_attention", QUESTIONS[0], QUESTIONS[2])),
          above(0.7), "",
          "Without attention the questions about the own tile are still answered.",
          digits=3),
    Claim("mlp-off", lambda m: max(at(m["whole"], "accuracy_no_mlp", *QUESTIONS[2:])), below(0.25), "",
          "Without the MLP fewer than 1 in 4 of either sum are right."),
    Claim("mlp-off-keeps", lambda m: at(m["whole"], "accuracy_no_mlp", QUESTIONS[1])[0], above(0.9), "",
          "Without the MLP the neighbour's half is still right in 9 of 10."),
    Claim("mlp-off-own", lambda m: at(m["whole"], "accuracy_no_mlp", QUESTIONS[0])[0], above(0.5), "",
          "Without the MLP the own half is right more often than not."),
    Claim("never-attention", lambda m: off_chance(m["no-attention"], "accuracy"), below(0.03), "",
          "Trained without attention, a network is at chance on both, as it must be, up to 0.03."),
    Claim("never-mlp", lambda m: at(m["no-mlp"], "accuracy", QUESTIONS[2])[0], above(0.3), "",
          "Trained without an MLP, a network learns part of the own sum."),
    Claim("neither", lambda m: at(m["neither"], "accuracy", QUESTIONS[2])[0], below(0.4), "",
          "Trained with neither attention nor MLP, a network is right on the own sum in fewer than 4 of 10."),
    Claim("attention-computes", attention_computes, above(0.1), "of answers",
          "Without an MLP, attention adds over 1 in 10 right answers to the own sum."),
    Claim("never-mlp-touching", lambda m: at(m["no-mlp"], "accuracy", QUESTIONS[3])[0], below(0.5), "",
          "But not the touching sum: it is right in fewer than half of the tiles."),
]
# fmt: on
