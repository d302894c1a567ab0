"""What happens to in-context learning past the length of the training texts, and what
moves that wall?

Source: press2022 (training short, testing long; ALiBi), ruoss2023 (random positions in
training), chen2023 (position interpolation). What differs: they measure perplexity of
language models, or algorithms; we measure how well a small decoder plays yes or no, where
more shots can only help, and how well it would play at best is known.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.networks.decoder import Decoder
from snippets.icl.networks.positional_encodings import ALiBi, Learned, Nowhere, Rotary
from snippets.icl.networks.shifted_positions import Shifted, Squeezed
from snippets.icl.streams import streams
from snippets.icl.tasks.yes_or_no import YES, Game, World, draw, exact
from snippets.icl.training.fresh_batches import trained
from snippets.icl.training.yes_or_no_training import (
    Reader,
    answer_logits,
    new_decoder,
    read,
)


@dataclass(frozen=True)
class Config(Reader):
    encoding: str = "rotary"  # none, learned, shifted, rotary or alibi
    n_shots: int = 6  # in training
    n_shots_test: int = 64
    n_steps: int = 300
    n_test: int = 256  # texts


PRESETS = {
    "laptop": {
        "none": Config(encoding="none"),
        "learned": Config(encoding="learned"),
        "shifted": Config(encoding="shifted"),
        "rotary": Config(encoding="rotary"),
        "alibi": Config(encoding="alibi"),
    }
}


# --8<-- [start:encodings]
def encoding(config: Config, generator: Generator) -> Nowhere:
    """The learned tables have a row for each position of the test, though a text of
    training reaches the first few only."""
    n_positions, d = 3 * config.n_shots_test, config.d_model
    made = {
        "none": lambda: Nowhere(),
        "learned": lambda: Learned(n_positions, d, generator),
        "shifted": lambda: Shifted(n_positions, d, generator),
        "rotary": lambda: Rotary(),
        "alibi": lambda: ALiBi(config.n_heads),
    }
    if config.encoding not in made:
        raise ValueError(
            f"no encoding '{config.encoding}': choose from {', '.join(made)}"
        )
    return made[config.encoding]()


# --8<-- [end:encodings]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, test, table = streams(seed, 4)
    longest = 3 * config.n_shots_test  # words
    network = new_decoder(config, weights, encoding(config, table), longest)
    trained(network, read(network, config, data))
    game = draw(config.world, config.n_test, config.n_shots_test, test)
    found = {"shot": np.arange(1, config.n_shots_test + 1), "trained": config.n_shots}
    if isinstance(network.positions, Shifted):
        network.positions.generator = None
    if config.encoding == "rotary":  # the same weights, slower hands
        factor = config.n_shots / config.n_shots_test
        found["squeezed"] = at_each_shot(
            network, config.world, game, Squeezed(factor=factor)
        )
    best = exact(config.world, game.things, game.answers)
    return found | {
        "accuracy": at_each_shot(network, config.world, game, network.positions),
        "best": ((best > 0.5) == (game.answers == YES)).float().mean(0).numpy(),
    }


@torch.no_grad()
def at_each_shot(
    network: Decoder, world: World, game: Game, positions: Nowhere
) -> np.ndarray:
    """How often the answer is told right, at each question of long texts."""
    kept, network.positions = network.positions, positions
    said = answer_logits(network, world, game).argmax(-1)
    network.positions = kept
    return (said == game.answers).float().mean(0).numpy()


# --8<-- [end:run]


# --8<-- [start:derived]
def points(share: Callable[[Measurements], float]) -> Callable[[Measurements], float]:
    """Hundredths: accuracy gained or lost, in points."""
    return lambda m: 100 * float(share(m))


def between_shots(
    m: Measurements, cell: str, first: int, last: int, name: str
) -> float:
    """Mean accuracy from one shot to another, both included."""
    return float(m[cell][name][first - 1 : last].mean())


def within(m: Measurements, cell: str) -> float:
    return between_shots(m, cell, 4, 6, "accuracy")


def beyond(m: Measurements, cell: str, name: str = "accuracy") -> float:
    """From the 33rd shot to the last: five to ten times the training length."""
    return between_shots(m, cell, 33, 64, name)


def behind(m: Measurements, cell: str) -> float:
    """How far it is behind the exact predictor there."""
    return beyond(m, cell, "best") - beyond(m, cell)


# --8<-- [end:derived]


# fmt: off
CLAIMS = [
    Claim("learned", points(lambda m: behind(m, "learned")), above(5), "points",
          "Far beyond the length of training, learned positions are more than 5 points behind the exact predictor."),
    Claim("none", points(lambda m: behind(m, "none")), below(6), "points",
          "No positions at all: less than 6 points behind."),
    Claim("none-gains", points(lambda m: beyond(m, "none") - within(m, "none")), above(10), "points",
          "Without positions, shots far beyond the training length still add more than 10 points."),
    Claim("learned-none", points(lambda m: beyond(m, "none") - beyond(m, "learned")), above(3), "points",
          "There, no positions are more than 3 points better than learned ones."),
    Claim("alibi", points(lambda m: behind(m, "alibi")), below(10), "points",
          "ALiBi is less than 10 points behind the exact predictor."),
    Claim("squeezed", points(lambda m: beyond(m, "rotary", "squeezed") - beyond(m, "rotary")), above(1), "points",
          "Rotary positions squeezed into the training length gain more than 1 point, without any training."),
    Claim("shifted", points(lambda m: beyond(m, "shifted") - beyond(m, "learned")), above(0), "points",
          "Learned positions that started anywhere in training are better far beyond its length."),
    Claim("shifted-costs", points(lambda m: within(m, "learned") - within(m, "shifted")), above(0), "points",
          "Within the training length they are worse."),
]
# fmt: on
