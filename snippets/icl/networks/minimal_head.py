"""An induction head that is three numbers, and a learned classifier behind it.

It reads the tokens of `item_label_data`: contents c_1, ..., c_2N+1, items and labels in
turn, the target last. Nothing of a token is learned: both looks are given but for a logit
each.

    beta1   layer 1: every token looks at the token before it with this logit, at itself
            and the others so far with 0. What it gathers, u, is kept apart
    alpha   layer 2: the target looks at a token with alpha (its own item . u)
    beta2   and with beta2 more if that token is a label

The classifier sees the target's item and what layer 2 reads. Without beta2, which then
stays 0, the head is two numbers. Many heads, each with a classifier of its own, are
trained side by side.

Source: reddy2024 describes such a head (three parameters, of which beta2 can be removed).
The form is our reconstruction: we have not compared it with the paper's equations.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

Contents = Float[Tensor, "#head batch pos d_item"]


@dataclass(frozen=True)
class Start:
    """Where a head's numbers begin, and whether beta2 is learned or stays 0."""

    beta1: float = 0.0
    alpha: float = 0.0
    direct: bool = True

    def __post_init__(self) -> None:
        """Raise ValueError where a number is none."""
        for name in ("beta1", "alpha"):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or value - value != 0:
                raise ValueError(
                    f"{name} = {value!r} is no number to start from: give a finite one"
                )


# --8<-- [start:head]
class MinimalHeads(nn.Module):
    direct: Float[Tensor, "head 1 1"]  # 1 where beta2 counts, 0 where it is left out

    def __init__(
        self,
        starts: Sequence[Start],
        d_item: int,
        n_labels: int,
        width: int,
        generator: Generator,
    ) -> None:
        super().__init__()
        if not starts:
            raise ValueError("there is no head to train: give at least one start")
        numbers = torch.tensor([[s.beta1, s.alpha, 0.0] for s in starts])
        self.numbers = nn.Parameter(numbers)  # (head, number)
        direct = torch.tensor([float(s.direct) for s in starts])
        self.register_buffer("direct", direct[:, None, None])

        def alike(rows: int, columns: int, std: float) -> nn.Parameter:
            one = torch.randn(rows, columns, generator=generator) * std
            return nn.Parameter(one.repeat(len(starts), 1, 1))

        self.W_in = alike(2 * d_item, width, d_item**-0.5)
        self.W_out = alike(width, n_labels, width**-0.5)

    def forward(self, c: Contents) -> tuple[Tensor, Tensor]:
        """Logits (head, batch, label) of the target's label, and the target's attention
        (head, batch, pos)."""
        beta1, alpha, beta2 = self.numbers[:, :, None, None].unbind(1)
        pos, target = c.shape[2], c[:, :, -1:]
        match = (c @ target.mT)[..., 0]  # of each token's content with the target's
        first = look_back(beta1, pos)  # (head, pos, pos)
        gathered = match @ first.mT  # of what layer 1 gathered with the target's item
        is_label = (torch.arange(pos) % 2).float()
        scores = alpha * gathered + beta2 * self.direct * is_label
        second = scores.softmax(-1)
        read = (second[:, :, None] @ c)[:, :, 0]
        both = torch.cat([target[:, :, 0].expand(len(read), -1, -1), read], -1)
        return F.relu(both @ self.W_in) @ self.W_out, second


def look_back(
    beta1: Float[Tensor, "head 1 1"], pos: int
) -> Float[Tensor, "head pos pos"]:
    """Layer 1's attention: beta1 on the token before, 0 on itself and all others so far."""
    before = torch.ones(pos - 1).diag(-1)
    later = torch.full((pos, pos), -torch.inf).triu(1)
    return (beta1 * before + later).softmax(-1)


# --8<-- [end:head]
