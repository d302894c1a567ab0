"""Linear attention: a matrix as memory, to which each token adds what it says.

    S_t = S_(t-1) + k_t v_t',        o_t = S_t' q_t

Tokens are rows here, and a leading batch may be any shape.

Source: schlag2021 (abstract: additive outer products). No feature map and no normaliser
here.
"""

import torch
from jaxtyping import Float
from torch import Tensor


# --8<-- [start:recurrent]
def recurrent(
    q: Float[Tensor, "*batch pos d_k"],
    k: Float[Tensor, "*batch pos d_k"],
    v: Float[Tensor, "*batch pos d_v"],
) -> Float[Tensor, "*batch pos d_v"]:
    """Token by token, as defined."""
    S, reads = torch.zeros_like(k[..., 0, :, None] * v[..., 0, None, :]), []
    # --8<-- [start:rule]
    for t in range(k.shape[-2]):
        S = S + k[..., t, :, None] * v[..., t, None, :]  # (*batch, d_k, d_v)
        reads.append((q[..., t, None, :] @ S)[..., 0, :])
    # --8<-- [end:rule]
    return torch.stack(reads, -2)


# --8<-- [end:recurrent]


# --8<-- [start:parallel]
def parallel(
    q: Float[Tensor, "*batch pos d_k"],
    k: Float[Tensor, "*batch pos d_k"],
    v: Float[Tensor, "*batch pos d_v"],
) -> Float[Tensor, "*batch pos d_v"]:
    """All tokens at once: o_t = sum over s <= t of <q_t, k_s> v_s."""
    return (q @ k.mT).tril() @ v


# --8<-- [end:parallel]


def cross_talk(
    k: Float[Tensor, "*batch pair d_k"], v: Float[Tensor, "*batch pair d_v"]
) -> Float[Tensor, "*batch pair d_v"]:
    """What a read of key k_j returns beside v_j, if keys have length 1: the sum over
    i != j of <k_j, k_i> v_i."""
    among = k @ k.mT
    return (among - torch.diag_embed(among.diagonal(0, -2, -1))) @ v
