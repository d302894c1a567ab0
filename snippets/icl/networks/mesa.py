"""The mesa-layer: a memory that is, after each token, the best fit to all of them.

    S_t = argmin over S of  sum over s <= t of |S' k_s - v_s|^2 + strength |S|^2

Source: vonoswald2023b, the mesa-layer.
"""

import torch
from jaxtyping import Float
from torch import Tensor


# --8<-- [start:mesa]
def recurrent(
    q: Float[Tensor, "*batch pos d_k"],
    k: Float[Tensor, "*batch pos d_k"],
    v: Float[Tensor, "*batch pos d_v"],
    strength: float,
) -> Float[Tensor, "*batch pos d_v"]:
    """o_t = S_t' q_t, by one update of an inverse for each token and no solving.

    Sherman-Morrison: (A + k k')^-1 = A^-1 - (A^-1 k)(A^-1 k)' / (1 + k' A^-1 k). So the
    step to the best fit is a delta rule with a direction of its own.
    Raises ValueError where strength is not above 0.
    """
    check(strength)
    d_k = k.shape[-1]
    inverse = torch.eye(d_k, dtype=k.dtype).expand(*k.shape[:-2], d_k, d_k) / strength
    S, reads = torch.zeros_like(k[..., 0, :, None] * v[..., 0, None, :]), []
    # --8<-- [start:rule]
    for t in range(k.shape[-2]):
        key = k[..., t, :, None]  # (*batch, d_k, 1)
        turned = inverse @ key  # away from directions in which much is stored
        gain = turned / (1 + key.mT @ turned)
        inverse = inverse - gain @ turned.mT
        S = S + gain @ (v[..., t, None, :] - key.mT @ S)
        reads.append((q[..., t, None, :] @ S)[..., 0, :])
    # --8<-- [end:rule]
    return torch.stack(reads, -2)


# --8<-- [end:mesa]


def check(strength: float) -> None:
    """Raise ValueError without a penalty."""
    if not strength > 0:
        raise ValueError(
            f"strength {strength}: the first inverse is I / strength, so it must be "
            "above 0"
        )
