"""Two ways to move the wall at the training length: learned positions that start anywhere,
and rotary positions that are squeezed.

Source: ruoss2023 for positions drawn at random in training (there a sorted sample, here a
block that starts anywhere); chen2023 for position interpolation.
"""

import torch
from torch import Generator

from snippets.icl.networks.positional_encodings import Learned, Rotary, angles


# --8<-- [start:shifted]
class Shifted(Learned):
    """Learned positions. In training each batch starts at a row of its own, so that
    every row learns; afterwards at the first."""

    def __init__(self, n_positions: int, d_model: int, generator: Generator) -> None:
        super().__init__(n_positions, d_model, generator)
        self.generator: Generator | None = generator  # None: start at the first row

    def add(self, x):
        start, room = 0, len(self.W_pos) - x.shape[1]
        if self.generator is not None and room > 0:
            start = int(torch.randint(room + 1, (), generator=self.generator))
        return super().add(x) if start == 0 else x + self.W_pos[start:][: x.shape[1]]


# --8<-- [end:shifted]


# --8<-- [start:squeezed]
class Squeezed(Rotary):
    """Rotary positions whose hands turn more slowly by a factor, so that more positions
    fit into the angles that training saw."""

    def __init__(self, base: float = 10_000.0, factor: float = 1.0) -> None:
        super().__init__(base)
        if factor <= 0:
            raise ValueError(f"factor = {factor} turns no hand: choose more than 0")
        self.factor = factor

    def rotate(self, x):
        a = (self.factor * angles(x.shape[-2], x.shape[-1], self.base)).to(x)
        first, second = x.chunk(2, -1)
        return torch.cat(
            [first * a.cos() - second * a.sin(), first * a.sin() + second * a.cos()],
            -1,
        )


# --8<-- [end:squeezed]
