"""One transformer block that reads examples and answers a query: attention, then an MLP.

    a = x + attention(x; x and the examples),     answer = f(a W),  f(u) = relu(u + b) D

The same block without its context reads x alone. What the context did to `a` can be put
into W instead, by a change of rank 1.

Source: dherin2025, abstract: a block transforms a context into a low-rank update of its
MLP; goldwaser2025, abstract: the patch has rank 1 and depends on the token.

Errors: ValueError where there is no example to read, where sizes do not fit, and where
`a` without context is 0, for then no change of W can do it.
"""

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.folded import at_least_one
from snippets.icl.networks.parts import normal
from snippets.icl.tasks.linear_regression import Prompts

Vectors = Float[Tensor, "batch d_model"]


# --8<-- [start:block]
class ContextBlock(nn.Module):
    def __init__(
        self, d: int, width: int, n_heads: int, d_mlp: int, generator: Generator
    ) -> None:
        super().__init__()
        at_least_one(dimensions=d, heads=n_heads)
        if width % n_heads:
            raise ValueError(f"width = {width} is no multiple of {n_heads} heads")
        self.n_heads, g, std = n_heads, generator, width**-0.5
        self.W_E = normal(d + 1, width, std=0.7, generator=g)
        self.W_Q = normal(width, width, std=std, generator=g)
        self.W_K = normal(width, width, std=std, generator=g)
        self.W_V = normal(width, width, std=std, generator=g)
        self.W_O = normal(width, width, std=std, generator=g)
        self.W = normal(width, d_mlp, std=std, generator=g)
        self.b = nn.Parameter(torch.zeros(d_mlp))
        self.W_down = normal(d_mlp, 1, std=d_mlp**-0.5, generator=g)

    def attended(self, prompts: Prompts, n_read: int) -> Vectors:
        """The query's vector after attention to itself and to the first `n_read`
        examples; with 0 the block without a context."""
        check(prompts, n_read, len(self.W_E) - 1)
        tokens = prompts.tokens()  # the query is the last one, its y is 0
        x = torch.cat([tokens[:, -1:], tokens[:, :n_read]], 1) @ self.W_E
        query = x[:, 0]
        q, k, v = (
            self.split(z) for z in (query @ self.W_Q, x @ self.W_K, x @ self.W_V)
        )
        scores = torch.einsum("bhe,bkhe->bhk", q, k) / q.shape[-1] ** 0.5
        read = torch.einsum("bhk,bkhe->bhe", scores.softmax(-1), v)
        return query + read.flatten(1) @ self.W_O

    def split(self, z: Tensor) -> Tensor:
        return z.unflatten(-1, (self.n_heads, -1))

    def mlp(
        self, a: Vectors, change: Float[Tensor, "batch d_model d_mlp"] | None = None
    ) -> Float[Tensor, "batch"]:
        """The answer; `change` is added to W, to each prompt's its own."""
        u = a @ self.W
        if change is not None:
            u = u + (a[:, None] @ change)[:, 0]
        return ((u + self.b).relu() @ self.W_down)[:, 0]

    def forward(self, prompts: Prompts, n_read: int) -> Float[Tensor, "batch"]:
        return self.mlp(self.attended(prompts, n_read))


# --8<-- [end:block]


# --8<-- [start:change]
def rank_one_change(
    without: Vectors, within: Vectors, W: Float[Tensor, "d_model d_mlp"]
) -> Float[Tensor, "batch d_model d_mlp"]:
    """The smallest change of W with a (W + change) = a' W, where a is the query's vector
    without the context and a' the one with it."""
    length = without.square().sum(-1)
    if (length == 0).any():
        raise ValueError(
            "a vector without context is 0: no change of W acts on it; give x a bias"
        )
    # --8<-- [start:lines]
    gained = (within - without) @ W  # what the context adds in front of the MLP
    reads = without / length[:, None]  # 1 on the query's own vector
    return reads[:, :, None] * gained[:, None, :]  # column times row: rank 1
    # --8<-- [end:lines]


def one_change_for_all(
    without: Float[Tensor, "query d_model"],
    within: Float[Tensor, "query d_model"],
    W: Float[Tensor, "d_model d_mlp"],
) -> Float[Tensor, "d_model d_mlp"]:
    """The one change of W that serves all these queries of one context best, in the
    squared error in front of the MLP; the smallest of those."""
    return torch.linalg.pinv(without, rtol=1e-6) @ (within - without) @ W


# --8<-- [end:change]


def check(prompts: Prompts, n_read: int, d: int) -> None:
    """Raise ValueError, in words, where the block cannot read so many examples."""
    n, given = prompts.x.shape[1] - 1, prompts.x.shape[2]
    if given != d:
        raise ValueError(f"the prompts have d = {given} and the block d = {d}")
    if n < 1:
        raise ValueError("n = 0 examples: there is no context to take away")
    if not 0 <= n_read <= n:
        raise ValueError(f"{n_read} examples to read of {n}: give 0 to {n}")
