"""Many small two-layer attention networks side by side, with parts put to the ideal.

A layer writes its output beside its input, so that each part of an induction head is a
matrix or an attention pattern that can be replaced by what it ought to become:

    previous   layer 1: each token looks at the one before it
    match      layer 2: the target looks for what holds its own class
    copy       the label that is read is the answer

A clamped part stays so through training, as in singh2024, section 4 of the released runs.
"""

from collections.abc import Sequence
from itertools import combinations

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal
from snippets.icl.tasks.relabelled import Task

PARTS = ("previous", "match", "copy")
Tokens = Float[Tensor, "batch pos d_token"]
Clamp = tuple[str, ...]  # the parts of one network that are put to the ideal


def all_clamps() -> list[Clamp]:
    """None, each part alone, and each two of the three."""
    return [clamp for size in range(3) for clamp in combinations(PARTS, size)]


def check_clamps(clamps: Sequence[Clamp]) -> None:
    """Raises ValueError for a part that does not exist, and where no network is."""
    if not clamps:
        raise ValueError("no network: give at least one clamp, () for none")
    for part in {part for clamp in clamps for part in clamp}:
        if part not in PARTS:
            raise ValueError(f"no part {part!r} to clamp: there are {', '.join(PARTS)}")


# --8<-- [start:network]
class Clamped(nn.Module):
    """One network for each clamp, all of the same first weights."""

    def __init__(
        self,
        task: Task,
        clamps: Sequence[Clamp],
        generator: Generator,
        n_heads: int = 1,
        std: float = 0.02,
        strength: float = 8.0,
    ) -> None:
        super().__init__()
        check_clamps(clamps)
        if n_heads < 1:
            raise ValueError(f"n_heads = {n_heads}: give one or more")
        self.task, self.clamps, self.strength = task, list(clamps), strength
        d = task.d_token

        def start(*shape: int) -> nn.Parameter:
            one = normal(*shape, std=std, generator=generator).detach()
            return nn.Parameter(one.repeat(len(clamps), *[1] * len(shape)))

        self.P = start(task.n_tokens)  # where a token looks, by distance
        self.A1 = start(d, d)  # and by content
        self.A2 = start(n_heads, 2 * d, 2 * d)  # what the target asks
        self.W = start(n_heads, 2 * d, task.n_labels)  # what is read says
        on = torch.ones(len(clamps), n_heads, dtype=torch.bool)
        self.register_buffer("on", on)  # heads of layer 2 that are not cut out

    def is_clamped(self, part: str) -> Bool[Tensor, "net 1 1 1"]:
        return torch.tensor([part in c for c in self.clamps]).reshape(-1, 1, 1, 1)

    def forward(
        self, x: Tokens
    ) -> tuple[
        Float[Tensor, "net batch n_labels"],
        Float[Tensor, "net batch pos pos"],
        Float[Tensor, "net head batch pos"],
    ]:
        """Logits; where layer 1 looks; where each head of layer 2 looks."""
        n = x.shape[1]
        # layer 1
        scores = (x @ self.A1[:, None]) @ x.mT + by_distance(self.P) + later(n)
        first = torch.where(
            self.is_clamped("previous"), previous(n), scores.softmax(-1)
        )
        brought = first @ x
        h = torch.cat([x.expand(len(brought), -1, -1, -1), brought], -1)

        # layer 2, for the target alone: every head asks of every token
        asks = torch.einsum("nbd,nhde->nhbe", h[:, :, -1], self.A2)
        scores = torch.einsum("nhbe,nbpe->nhbp", asks, h)
        ideal = self.strength * self.same_class(x, brought)[:, None]
        second = torch.where(self.is_clamped("match"), ideal, scores).softmax(-1)
        read = torch.einsum("nhbp,nbpe->nhbe", second, h)
        read = read * self.on[:, :, None, None]  # type: ignore[index]

        # what is read says the answer
        says = torch.einsum("nhbe,nhel->nbl", read, self.W)
        labels = read[..., self.task.d : self.task.d + self.task.n_labels].mean(1)
        is_copy = self.is_clamped("copy")[..., 0]
        return torch.where(is_copy, self.strength * labels, says), first, second

    def same_class(
        self, x: Tokens, brought: Float[Tensor, "net batch pos d_token"]
    ) -> Float[Tensor, "net batch pos"]:
        """How much of the target's class layer 1 has brought to each token."""
        d = self.task.d
        return (brought[..., :d] @ x[:, -1, :d, None])[..., 0]

    # --8<-- [end:network]

    def cut(self, net: int, head: int) -> None:
        """Take a head of layer 2 out of a network. ValueError where there is none."""
        n_nets, n_heads = self.on.shape  # type: ignore[misc]
        if not (0 <= net < n_nets and 0 <= head < n_heads):
            raise ValueError(
                f"no head {head} in network {net}: there are {n_heads} heads in each "
                f"of {n_nets} networks, counted from 0"
            )
        self.on[net, head] = False  # type: ignore[operator]


def later(n: int) -> Float[Tensor, "pos pos"]:
    """Added to scores: no token sees those after it."""
    return torch.full((n, n), -torch.inf).triu(1)


def by_distance(P: Float[Tensor, "net distance"]) -> Float[Tensor, "net 1 pos pos"]:
    """The score that each token gives to each for how far back it is."""
    place = torch.arange(P.shape[1])
    return P[:, (place[:, None] - place).clamp(min=0)][:, None]


def previous(n: int) -> Float[Tensor, "pos pos"]:
    """Attention to the token before; the first token has only itself."""
    pattern = torch.eye(n).roll(1, 0)
    pattern[0] = torch.eye(n)[0]
    return pattern
