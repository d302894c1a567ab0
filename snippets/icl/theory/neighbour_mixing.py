"""What a head that looks one word back makes of random vectors, and its picture.

    h_i = e_i + the mean of e_j over the words j that stood before word i

With M = I + P, P the shares of the words before, all words at once: H = M E.

Source: the mixing of neighbours is arditi2026's (figure 5), who adds the mean of a
word's neighbours on the grid to its vector, as if the walk had no end.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

Square = Float[Tensor, "*batch word word"]
Walk = Int[Tensor, "batch step"]


# --8<-- [start:mixing]
def shares_before(walk: Walk, n_words: int) -> Float[Tensor, "batch word word"]:
    """P, row i: which words stood before word i, as shares. A word that never came
    second has a row of zeros."""
    if walk.shape[1] < 2:
        raise ValueError("a walk of no steps: nothing stands before anything")
    pair = walk[:, 1:] * n_words + walk[:, :-1]
    counts = torch.zeros(len(walk), n_words * n_words, dtype=torch.float64)
    counts.scatter_add_(1, pair, torch.ones_like(pair, dtype=torch.float64))
    counts = counts.unflatten(1, (n_words, n_words))
    return counts / counts.sum(2, keepdim=True).clamp(min=1)


def mixing(P: Square, keeps: bool = True) -> Square:
    """M: what a word's vector becomes. `keeps`: it keeps its own, and adds the mean."""
    return P + torch.eye(P.shape[-1], dtype=P.dtype) if keeps else P


def plane(H: Float[Tensor, "*batch word d"]) -> Float[Tensor, "*batch word 2"]:
    """The two directions in which the words' vectors differ most: their first two
    principal components."""
    centred = H - H.mean(-2, keepdim=True)
    U, S, _ = torch.linalg.svd(centred, full_matrices=False)
    return U[..., :2] * S[..., None, :2]


# --8<-- [end:mixing]


def likeness(
    points: Float[Tensor, "*batch word 2"], steps: Int[Tensor, "*any word word"]
) -> Float[Tensor, "*batch"]:
    """The correlation, over all pairs of words, of distances in the plane with steps on
    the graph."""
    n_words = steps.shape[-1]
    first, second = torch.triu_indices(n_words, n_words, offset=1)
    apart = (points[..., first, :] - points[..., second, :]).norm(dim=-1)
    on_graph = steps[..., first, second].to(apart.dtype).expand_as(apart)
    pairs = torch.stack([apart, on_graph])
    pairs = pairs - pairs.mean(-1, keepdim=True)
    a, b = pairs / pairs.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    return (a * b).sum(-1)


def share_in_plane(
    points: Float[Tensor, "word 2"], given: Float[Tensor, "word 2"]
) -> Float[Tensor, ""]:
    """How much of one plane of patterns over the words lies in another: 1 where they
    are the same, 0 where they are at right angles."""
    first, second = (
        torch.linalg.qr(x - x.mean(-2, keepdim=True))[0] for x in (points, given)
    )
    return (first.mT @ second).square().sum() / 2
