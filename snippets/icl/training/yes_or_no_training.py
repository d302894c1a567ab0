"""Train a small decoder on yes-or-no games: the network that a chapter's experiments share."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.icl.networks.decoder import Decoder
from snippets.icl.networks.positional_encodings import Nowhere, Rotary
from snippets.icl.tasks.yes_or_no import Game, World, draw, write
from snippets.icl.training.fresh_batches import train


# --8<-- [start:config]
@dataclass(frozen=True)
class Reader:
    """A decoder, and how it trains."""

    world: World = field(default_factory=World)
    d_model: int = 32
    n_layers: int = 2
    n_heads: int = 4
    n_shots: int = 11  # of a training text, the last one's answer left out
    batch: int = 32  # texts
    n_steps: int = 400
    learning_rate: float = 5e-3


# --8<-- [end:config]


# --8<-- [start:training]
def new_decoder(
    config: Reader,
    generator: Generator,
    positions: Nowhere | None = None,
    n_positions: int = 128,
) -> Decoder:
    words = config.world.vectors(config.d_model, generator)
    return Decoder(
        words,
        2,  # yes and no
        config.n_layers,
        config.n_heads,
        Rotary() if positions is None else positions,
        generator,
        n_positions,
    )


def answer_logits(
    network: Decoder, world: World, game: Game
) -> Float[Tensor, "batch shot 2"]:
    """Logits of yes and no at each question of a text."""
    return network(write(world, game))[:, 1::3]


def read(network: Decoder, config: Reader, data: Generator) -> Iterator[int]:
    """Training: the cross-entropy at every question of fresh texts."""

    def batch_loss() -> Float[Tensor, ""]:
        game = draw(config.world, config.batch, config.n_shots, data)
        logits = answer_logits(network, config.world, game)
        return F.cross_entropy(logits.flatten(0, 1), game.answers.flatten())

    return train(
        network, batch_loss, config.n_steps, config.learning_rate, 30, 0.5, 1.0
    )


# --8<-- [end:training]


# --8<-- [start:asked]
@torch.no_grad()
def asked(
    network: Decoder, world: World, game: Game, *, at_once: int = 4096
) -> Float[Tensor, " batch"]:
    """P(yes) by the network for the last question of each text."""
    tokens = write(world, game)
    parts = [network(some)[:, -1].softmax(-1)[:, 0] for some in tokens.split(at_once)]
    return torch.cat(parts)


# --8<-- [end:asked]
