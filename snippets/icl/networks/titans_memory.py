"""A memory that learns at test time: surprise, momentum and forgetting.

    surprise    e_t = v_t - S_(t-1)' k_t
    momentum    Z_t = eta_t Z_(t-1) + theta_t k_t e_t'
    memory      S_t = (1 - alpha_t) S_(t-1) + Z_t,        o_t = S_t' q_t

theta_t k_t e_t' is a gradient step on 1/2 |S' k_t - v_t|^2. With eta = alpha = 0 this
is DeltaNet.

Source: behrouz2025, the update of its long-term memory. There the memory may be a deep
network; here it is a matrix, for which everything can be written out.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from snippets.icl.networks.deltanet import missing, read_errors


# --8<-- [start:recurrent]
def recurrent(
    q: Float[Tensor, "*batch pos d_k"],
    k: Float[Tensor, "*batch pos d_k"],
    v: Float[Tensor, "*batch pos d_v"],
    theta: Float[Tensor, "*batch pos"],
    eta: Float[Tensor, "*batch pos"],
    alpha: Float[Tensor, "*batch pos"],
) -> Float[Tensor, "*batch pos d_v"]:
    """Token by token, as defined."""
    S, reads = torch.zeros_like(k[..., 0, :, None] * v[..., 0, None, :]), []
    Z = S
    for t in range(k.shape[-2]):
        surprise = v[..., t, :] - (k[..., t, None, :] @ S)[..., 0, :]  # (*batch, d_v)
        step = k[..., t, :, None] * surprise[..., None, :]  # (*batch, d_k, d_v)
        Z = eta[..., t, None, None] * Z + theta[..., t, None, None] * step
        S = (1 - alpha[..., t, None, None]) * S + Z
        reads.append((q[..., t, None, :] @ S)[..., 0, :])
    return torch.stack(reads, -2)


# --8<-- [end:recurrent]


# --8<-- [start:parallel]
def products(factor: Float[Tensor, "*batch pos"]) -> Float[Tensor, "*batch t s"]:
    """factor_(s+1) ... factor_t for s <= t, and 0 for s > t."""
    log = factor.clamp(min=1e-30).log().cumsum(-1)
    later = log[..., :, None] - log[..., None, :]
    return later.tril().exp().tril()


def shares(
    theta: Float[Tensor, "*batch pos"],
    eta: Float[Tensor, "*batch pos"],
    alpha: Float[Tensor, "*batch pos"],
) -> Float[Tensor, "*batch t s"]:
    """How much of the surprise at s is in the memory at t. It enters at every j from s
    to t, by then shrunk to eta_(s+1) ... eta_j, and is forgotten from j on."""
    return products(1 - alpha) @ products(eta) * theta[..., None, :]


def parallel(
    q: Float[Tensor, "*batch pos d_k"],
    k: Float[Tensor, "*batch pos d_k"],
    v: Float[Tensor, "*batch pos d_v"],
    theta: Float[Tensor, "*batch pos"],
    eta: Float[Tensor, "*batch pos"],
    alpha: Float[Tensor, "*batch pos"],
) -> Float[Tensor, "*batch pos d_v"]:
    """All tokens at once: S_t = sum over s <= t of share[t, s] k_s e_s'."""
    share = shares(theta, eta, alpha)
    before = torch.cat([torch.zeros_like(share[..., :1, :]), share[..., :-1, :]], -2)
    return read_errors(q, k, missing(k, v, before), share)


# --8<-- [end:parallel]
