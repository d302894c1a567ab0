"""DeltaNet: before it writes, the memory looks up what it already says for the key.

    S_t = S_(t-1) + beta_t k_t (v_t - S_(t-1)' k_t)',        o_t = S_t' q_t

One step of gradient descent, of size beta_t, on 1/2 |S' k_t - v_t|^2: the delta rule.
Linear attention is the same without the look-up.

Source: schlag2021 (abstract) for the delta rule; yang2024 (abstract) for doing it in
parallel, there in chunks. Here the whole sequence is one chunk.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def recurrent(
    q: Float[Tensor, "*batch pos d_k"],
    k: Float[Tensor, "*batch pos d_k"],
    v: Float[Tensor, "*batch pos d_v"],
    beta: Float[Tensor, "*batch pos"],
) -> Float[Tensor, "*batch pos d_v"]:
    """Token by token, as defined."""
    S, reads = torch.zeros_like(k[..., 0, :, None] * v[..., 0, None, :]), []
    # --8<-- [start:rule]
    for t in range(k.shape[-2]):
        said = (k[..., t, None, :] @ S)[..., 0, :]  # (*batch, d_v)
        missing = beta[..., t, None] * (v[..., t, :] - said)
        S = S + k[..., t, :, None] * missing[..., None, :]
        reads.append((q[..., t, None, :] @ S)[..., 0, :])
    # --8<-- [end:rule]
    return torch.stack(reads, -2)


# --8<-- [start:parallel]
def parallel(
    q: Float[Tensor, "*batch pos d_k"],
    k: Float[Tensor, "*batch pos d_k"],
    v: Float[Tensor, "*batch pos d_v"],
    beta: Float[Tensor, "*batch pos"],
) -> Float[Tensor, "*batch pos d_v"]:
    """All tokens at once. With e_t what is missing at t, S_t = sum beta_s k_s e_s', and

    e_t = v_t - sum over s < t of beta_s <k_t, k_s> e_s

    is a triangular system, one unknown row for each token."""
    share = beta[..., None, :].expand(*k.shape[:-1], k.shape[-2])  # (.., t, s): beta_s
    return read_errors(q, k, missing(k, v, share), share)


def missing(
    k: Float[Tensor, "*batch pos d_k"],
    v: Float[Tensor, "*batch pos d_v"],
    before: Float[Tensor, "*batch pos pos"],
) -> Float[Tensor, "*batch pos d_v"]:
    """Solve e_t = v_t - sum over s < t of before[t, s] <k_t, k_s> e_s."""
    system = (before * (k @ k.mT)).tril(-1)  # its diagonal is taken as 1
    return torch.linalg.solve_triangular(system, v, upper=False, unitriangular=True)


def read_errors(
    q: Float[Tensor, "*batch pos d_k"],
    k: Float[Tensor, "*batch pos d_k"],
    e: Float[Tensor, "*batch pos d_v"],
    share: Float[Tensor, "*batch pos pos"],
) -> Float[Tensor, "*batch pos d_v"]:
    """o_t = sum over s <= t of share[t, s] <q_t, k_s> e_s."""
    return (share * (q @ k.mT)).tril() @ e


# --8<-- [end:parallel]
