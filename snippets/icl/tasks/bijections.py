"""Secret codes: each prompt hides a bijection of K letters, and shows it pair by pair.

At time t the network has seen t pairs (x, y = code(x)) and is asked for the code of the
next x. Letters are asked with replacement, so what is known is exact either way:

    x was asked before     its y is certain
    x is new               each y that was not seen yet is as likely as any other

The token at time t holds three letters: the pair just shown (none at t = 0), and the x
that is asked now.

Source: bijection elimination, agarwal2025, where no x is asked twice; that is
`again=False`.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor


@dataclass(frozen=True)
class Codes:
    """Pairs of many prompts, in the order in which they are asked."""

    x: Int[Tensor, "batch n"]
    y: Int[Tensor, "batch n"]
    n_letters: int

    # --8<-- [start:tokens]
    def tokens(self) -> Float[Tensor, "batch n d_in"]:
        """(the last x, its y, the next x), each one-hot."""
        x, y = (F.one_hot(a, self.n_letters).float() for a in (self.x, self.y))
        shown = torch.cat([x, y], 2).roll(1, 1)
        shown[:, 0] = 0
        return torch.cat([shown, x], 2)

    # --8<-- [end:tokens]

    def asked_before(self) -> Bool[Tensor, "batch n"]:
        same = self.x[:, :, None] == self.x[:, None]
        return same.tril(-1).any(2)

    # --8<-- [start:posterior]
    def posterior(self) -> Float[Tensor, "batch n letter"]:
        """p(y_t | the pairs before, x_t), exactly."""
        pair = F.one_hot(self.y, self.n_letters).double()
        used = pair.cumsum(1) - pair > 0  # before t
        free = (~used).double()
        new = free / free.sum(2, keepdim=True).clamp(min=1)
        return torch.where(self.asked_before()[..., None], pair, new)

    # --8<-- [end:posterior]

    def reordered(self, generator: Generator) -> "Codes":
        """The same pairs in another order, but for the last, which is still asked last."""
        order = torch.rand(self.x[:, 1:].shape, generator=generator).argsort(1)
        last = torch.full_like(order[:, :1], order.shape[1])
        order = torch.cat([order, last], 1)
        return Codes(self.x.gather(1, order), self.y.gather(1, order), self.n_letters)


# --8<-- [start:draw]
def draw(
    batch: int, n: int, n_letters: int, generator: Generator, again: bool = True
) -> Codes:
    """A new bijection for each prompt, asked n times."""
    if n < 1 or n_letters < 2:
        raise ValueError(
            f"{n} questions about {n_letters} letters: give 1 and 2 or more"
        )
    if not again and n > n_letters:
        raise ValueError(
            f"{n} questions about {n_letters} letters, none twice: ask at most "
            f"{n_letters}, or set again=True"
        )
    code = torch.rand(batch, n_letters, generator=generator).argsort(1)
    if again:
        x = torch.randint(n_letters, (batch, n), generator=generator)
    else:
        x = torch.rand(batch, n_letters, generator=generator).argsort(1)[:, :n]
    return Codes(x, code.gather(1, x), n_letters)


# --8<-- [end:draw]
