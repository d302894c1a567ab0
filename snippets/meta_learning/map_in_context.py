"""Does a map of words that stand beside each other need a model that draws it?

Source: arditi2026, figure 5: one round of mixing neighbours on random vectors shows the
grid that park2025representations found in a language model (figure 1). Here: neighbours
are those of a walk, before a word only; what the walk's length and the vectors' number
of dimensions do; a word that forgets itself. There: all neighbours, 4,096 dimensions.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    at_most,
    below,
    between,
)
from snippets.icl.streams import streams
from snippets.icl.tasks.graph_walk import grid, ring, steps_between, walk
from snippets.icl.theory.neighbour_mixing import (
    likeness,
    mixing,
    plane,
    share_in_plane,
    shares_before,
)
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    side: int = 4  # of the board; its words are side * side
    dimensions: tuple[int, ...] = (4, 16, 64, 256, 1024)
    lengths: tuple[int, ...] = (16, 32, 64, 128, 256, 512, 1024, 2048)  # of a walk
    n_draws: int = 24  # walks and vectors, for each number of dimensions
    n_known: int = 400  # walks in which a word is looked for


PRESETS = {"laptop": Config()}


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    walks, vectors, order = streams(seed, 3)
    board = grid(config.side)
    apart, n_words = steps_between(board), config.side**2
    path = walk(board, config.n_draws, max(config.lengths), walks)
    shuffled = path[:, torch.randperm(path.shape[1], generator=order)]
    renamed = [torch.randperm(n_words, generator=order) for _ in path]
    elsewhere = torch.stack([apart[names][:, names] for names in renamed])
    forever = board / board.sum(1, keepdim=True)  # P of a walk without end

    found: dict[str, list] = {}
    for place in steps(len(config.dimensions)):
        d = config.dimensions[place]
        E = random_vectors(config.n_draws, n_words, d, vectors)
        last = mixing(shares_before(path, n_words)) @ E
        seen = {
            "likeness": [
                middle(mixing(shares_before(path[:, : n + 1], n_words)) @ E, apart)
                for n in config.lengths
            ],
            "before": middle(E, apart),
            "forever": middle(mixing(forever) @ E, apart),
            "forgetful": middle(mixing(forever, keeps=False) @ E, apart),
            "elsewhere": middle(last, elsewhere),
            "shuffled": middle(mixing(shares_before(shuffled, n_words)) @ E, apart),
        }
        for name, value in seen.items():
            found.setdefault(name, []).append(value)
    curves = {name: np.array(values) for name, values in found.items()}
    many = walk(board, config.n_known, max(config.lengths), walks)
    known = [share_known(many, n) for n in config.lengths]
    return (
        curves
        | exact(config.side)
        | pictures(config, path[:1], vectors)
        | {
            "lengths": np.array(config.lengths),
            "known": np.array(known),
        }
    )


# --8<-- [end:run]


def random_vectors(n: int, n_words: int, d: int, generator: Generator) -> Tensor:
    """Words without meaning: normal vectors of expected length 1."""
    size = (n, n_words, d)
    return torch.randn(size, generator=generator, dtype=torch.float64) / math.sqrt(d)


def middle(H: Tensor, apart: Tensor) -> float:
    """The likeness of the plane's distances to the graph's, median over the draws."""
    return likeness(plane(H), apart).median().item()


def share_known(path: Tensor, n: int) -> float:
    """How often the word at step n stood in the walk before: then copying the word that
    followed it is a valid next step."""
    return (path[:, n : n + 1] == path[:, :n]).any(1).double().mean().item()


# --8<-- [start:exact]
def exact(side: int) -> dict[str, float]:
    """A walk without end, and vectors at right angles."""
    board, n = grid(side), side**2
    P, E = board / board.sum(1, keepdim=True), torch.eye(n, dtype=torch.float64)
    points = plane(mixing(P) @ E)
    lam, patterns = torch.linalg.eig(P)
    by_size = lam.real.argsort(descending=True)
    second_and_third = patterns.real[:, by_size[1:3]]

    circle = plane(mixing(ring(n) / 2) @ E)
    radius = math.sqrt(2 / n) * (1 + math.cos(2 * math.pi / n))
    next_to = (circle - circle.roll(1, 0)).norm(dim=1)
    chord = 2 * radius * math.sin(math.pi / n)

    row, column = torch.arange(n) // side, torch.arange(n) % side
    colours = 1.0 - 2.0 * ((row + column) % 2)  # black and white squares
    return {
        "best": likeness(points, steps_between(board)).item(),
        "drawn": likeness(torch.stack([row, column], 1).double(), steps_between(board)).item(),
        "outside_plane": 1 - share_in_plane(points, second_and_third).item(),
        "circle_error": max(
            (circle.norm(dim=1) - radius).abs().max().item(),
            (next_to - chord).abs().max().item(),
        ),
        "colours_error": max(
            (mixing(P) @ colours.double()).abs().max().item(),
            (mixing(P, keeps=False) @ colours.double() + colours).abs().max().item(),
        ),
    }  # fmt: skip


# --8<-- [end:exact]


def pictures(config: Config, path: Tensor, vectors: Generator) -> dict[str, np.ndarray]:
    """One walk in the most dimensions: the plane before, early, and at the end."""
    n_words = config.side**2
    E = random_vectors(1, n_words, config.dimensions[-1], vectors)
    early, late = (
        plane(mixing(shares_before(path[:, : n + 1], n_words)) @ E)[0]
        for n in (config.lengths[2], config.lengths[-1])
    )
    return {"planes": torch.stack([plane(E)[0], early, late]).float().numpy()}


def last(name: str):
    """A measurement in the most dimensions, after the longest walk."""
    return lambda m: float(np.asarray(m[name])[-1].flat[-1])


def at(d: int, n: int):
    """Likeness with that number of dimensions, after n steps."""
    row = Config.dimensions.index(d)
    return lambda m: float(m["likeness"][row][list(m["lengths"]).index(n)])


# fmt: off
CLAIMS = [
    Claim("map", at(1024, 512), above(0.75), "",
          "In 1,024 dimensions, after 512 steps, distances in the plane correlate with steps on the grid by more "
          "than 0.75.",
          Reported("arditi2026", "figure 5", "one round of mixing on random vectors shows the grid", SMALLER)),
    Claim("before", last("before"), between(-0.12, 0.12), "",
          "Before mixing the correlation is within 0.12 of zero."),
    Claim("elsewhere", last("elsewhere"), between(-0.12, 0.12), "",
          "With a grid on which the words are placed at random it is within 0.12 of zero."),
    Claim("shuffled", last("shuffled"), between(-0.12, 0.12), "",
          "With the walk's words in a random order it is within 0.12 of zero."),
    Claim("few-dimensions", at(16, 2048), below(0.5), "",
          "In 16 dimensions it stays below a half, after 2,048 steps too."),
    Claim("grows", lambda m: at(1024, 512)(m) - at(1024, 32)(m), above(0.3), "",
          "From 32 steps to 512 it grows by more than 0.3."),
    Claim("forgetful", last("forgetful"), below(0.35), "",
          "Where a word keeps nothing of its own it is below 0.35, after a walk without end."),
    Claim("solved-early", lambda m: float(m["known"][2]), above(0.85), "",
          "After 64 steps the word at hand has been seen before in more than 85 walks of 100: copying what followed it "
          "is a valid step."),
    Claim("solved-before-map", lambda m: at(1024, 64)(m), below(0.65), "",
          "At that time the correlation is below 0.65, in 1,024 dimensions."),
    Claim("plane", lambda m: float(m["outside_plane"]), at_most(0.01), "of the plane",
          "With vectors at right angles and a walk without end, all but a hundredth of the plane of the picture is "
          "that of the second and third eigenvector of the walk.", exact=True),
    Claim("circle", lambda m: float(m["circle_error"]), at_most(1e-9), "",
          "On a ring the picture is then a circle, of the radius that the formula gives.", exact=True),
    Claim("colours", lambda m: float(m["colours_error"]), at_most(1e-9), "",
          "Mixing wipes out the pattern of black and white squares; where a word forgets itself, it only changes its "
          "sign.", exact=True),
]
# fmt: on
