"""The stuck point of a layer of linear attention, exactly: the mirror image of a step.

The value reads x along one direction u, the key reads y, and the query reads along u.
"""

import torch
from torch import Generator

from snippets.icl.networks.heads_by_hand import Heads, curvatures, on_average
from snippets.icl.theory.best_rate import best_rate


# --8<-- [start:mirror]
def mirror_image(d: int, n: int, width: float, generator: Generator) -> Heads:
    """One with a random direction, key, and lengths, in float64."""
    u, key, size = (
        torch.randn(k, generator=generator, dtype=torch.float64) for k in (d, d + 1, 2)
    )
    u, rho, scale = u / u.norm(), size[0].exp(), size[1].exp()
    v = torch.cat([rho * u, torch.zeros(1)])[None, None]
    K, Q = torch.zeros(2, 1, 1, d + 1, d + 1, dtype=torch.float64)
    K[..., d] = scale * key
    rate = -best_rate(width, n, d) / (rho * scale * key.square().sum())
    Q[..., :d] = rate * key[:, None] * u
    return Heads(v, K, Q)


def way_down(heads: Heads, width: float, n: int) -> float:
    """How far from flat the mean loss is to second order, where it could fall: the
    largest entry of the gradient or, if it is larger, the most negative curvature as a
    share of the largest."""
    _, by = on_average(heads, width, n)
    slope = max(part.abs().max().item() for part in by)
    bends = curvatures(heads, width, n)[0]
    return max(slope, (-bends[0] / bends[-1]).item())


# --8<-- [end:mirror]
