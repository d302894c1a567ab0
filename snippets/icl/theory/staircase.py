"""How a layer of linear attention learns under gradient flow: levels, and a bound on waits.

x ~ N(0, S), w ~ N(0, I), n examples, no noise. A layer whose heads start with nothing in
the entries that mirror (v_x, w_yx) keeps them at 0 on the mean loss, and predicts
x_query' A C w with

    A = sum over heads of v k q' (key and query apart, of any rank), or of v U (one matrix).

Source: zhang2025, abstract (one drop, or saddle to saddle). The levels and the bound are
derived here.

Errors: ValueError where S is no covariance or has no inverse, where there are no examples,
where sizes do not fit and where no head starts away from 0.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from scipy.integrate import solve_ivp
from torch import Tensor

from snippets.icl.theory.best_steps import check, mean_CTC

Spread = Float[Tensor, "d d"]
Weights = dict[str, Tensor]


# --8<-- [start:heads]
def map_of(weights: Weights) -> Float[Tensor, "d d"]:
    """A: with "U" key and query are one matrix, with "K" and "Q" they are two."""
    v = weights["v"]  # (head,)
    if "U" in weights:
        return torch.einsum("h,hij->ij", v, weights["U"])
    return torch.einsum("h,hri,hrj->ij", v, weights["Q"], weights["K"])


# --8<-- [end:heads]


# --8<-- [start:levels]
def levels(lam: Float[Tensor, "d"], n: int) -> np.ndarray:
    """The least mean loss of maps that know the first 0, 1, ... d directions."""
    Sigma = lam.double().diag()
    eye = torch.eye(len(lam), dtype=torch.float64)
    check(Sigma, eye, n)
    G = mean_CTC(Sigma, eye, n).diagonal()  # E[C C] is diagonal with S
    gains = Sigma.diagonal() ** 3 / G  # of a direction, with its best entry of A
    return np.concatenate([[0.0], -gains.cumsum(0).numpy()]) + lam.sum().item()


# --8<-- [end:levels]


# --8<-- [start:flow]
class Flow:
    """Gradient flow of the mean loss from these weights: rank-1 heads, a head of any
    rank, or a merged one."""

    def __init__(self, weights: Weights, Sigma: Spread, n: int) -> None:
        check(Sigma, eye := torch.eye(len(Sigma), dtype=torch.float64), n)
        self.S, self.G = Sigma.numpy(), mean_CTC(Sigma, eye, n).numpy()
        self.shapes = {name: tuple(w.shape) for name, w in weights.items()}
        self.start = np.concatenate([w.double().flatten() for w in weights.values()])

    def at(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        ends = np.cumsum([np.prod(shape) for shape in self.shapes.values()])
        parts = np.split(flat, ends[:-1].astype(int))
        return {
            name: part.reshape(shape)
            for part, (name, shape) in zip(parts, self.shapes.items())
        }

    def map_of(self, flat: np.ndarray) -> np.ndarray:
        now = self.at(flat)
        if "U" in now:
            return np.einsum("h,hij->ij", now["v"], now["U"])
        scaled = now["v"][:, None, None] * now["Q"]
        return np.tensordot(scaled, now["K"], ((0, 1), (0, 1)))

    def loss(self, flat: np.ndarray) -> float:
        S, A = self.S, self.map_of(flat)
        return float(np.trace(S - 2 * S @ A @ S + A.T @ S @ A @ self.G))

    def downhill(self, _: float, flat: np.ndarray) -> np.ndarray:
        """Where A is pulled one way, where each weight is."""
        now, A = self.at(flat), self.map_of(flat)
        pull, v = 2 * self.S @ (self.S - A @ self.G), now["v"]
        if "U" in now:
            return np.append((pull * now["U"]).sum((1, 2)), v[:, None, None] * pull)
        by_K = v[:, None, None] * (now["Q"] @ pull)
        by_Q = v[:, None, None] * (now["K"] @ pull.T)
        by_v = (now["Q"] @ pull * now["K"]).sum((1, 2))
        return np.concatenate([by_v, by_Q.ravel(), by_K.ravel()])

    def losses(self, times: np.ndarray) -> np.ndarray:
        solved = solve_ivp(
            self.downhill,
            (0, times[-1]),
            self.start,
            "LSODA",
            times,
            rtol=1e-8,
            atol=1e-11,
        )
        return np.array([self.loss(w) for w in solved.y.T])

    def first_times_below(
        self, levels: tuple[float, ...], longest: float
    ) -> np.ndarray:
        """Of each level, from the highest down; infinity where it is not below by then."""

        def below(level: float, last: bool) -> Callable:
            def event(_: float, flat: np.ndarray) -> float:
                return self.loss(flat) - level

            event.terminal = last  # type: ignore[attr-defined]
            return event

        events = [below(level, bool(level == min(levels))) for level in levels]
        solved = solve_ivp(
            self.downhill,
            (0, longest),
            self.start,
            "LSODA",
            events=events,
            rtol=1e-7,
            atol=1e-10,
        )
        return np.array([t[0] if len(t) else np.inf for t in solved.t_events])


# --8<-- [end:flow]


# --8<-- [start:bound]
def soonest_drop(weights: Weights, lam: Float[Tensor, "d"], n: int) -> float:
    """A time before which no gradient flow from heads of this size, with one key and one
    query each, can have made half of the first drop.

    With 3 r^2 = v^2 + |k|^2 + |q|^2 of a head, r' <= 2 |S^2 - S A G| r^2, since
    |v k'Mq| <= |M| r^3; and A itself is no longer than the sum of the r^3. The fastest
    walk that this allows is solved until lam_1^2 times that sum is half of the fall.
    """
    squares = sum(weights[name].double().square().flatten(1).sum(1) for name in "KQ")
    r = ((squares + weights["v"].double() ** 2) / 3).sqrt().numpy()
    if not (r > 0).any():
        raise ValueError("every head starts at 0 and never leaves: draw first weights")
    high, low = levels(lam, n)[:2]
    eye = torch.eye(len(lam), dtype=torch.float64)
    G = mean_CTC(lam.double().diag(), eye, n)
    most, size = lam.max().item(), torch.linalg.matrix_norm(G, 2).item()

    def fastest(_: float, r: np.ndarray) -> np.ndarray:
        return 2 * (most**2 + most * size * (r**3).sum()) * r**2

    def there(_: float, r: np.ndarray) -> float:
        return most**2 * (r**3).sum() - (high - low) / 4

    if there(0.0, r) >= 0:
        return 0.0  # so large a start may have fallen already
    there.terminal = True  # type: ignore[attr-defined]
    longest = 1 / (2 * most**2 * r.max())  # r' >= 2 most^2 r^2 blows up by then
    solved = solve_ivp(fastest, (0, longest), r, events=there, rtol=1e-9, atol=1e-12)
    return float(solved.t_events[0][0])


# --8<-- [end:bound]
