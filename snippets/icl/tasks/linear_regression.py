"""Linear regression as a prompt: n examples of one hidden linear map, and a query.

    (x_1, y_1), ..., (x_n, y_n), x_query        y_i = <w, x_i> + noise

Each prompt has a map w of its own. Nothing about it can be kept in the weights: it must
be read from the examples.

Source: the task of garg2022, vonoswald2023 and ahn2023, who draw x and w differently.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor


# --8<-- [start:prompts]
@dataclass(frozen=True)
class Prompts:
    """The query stands last, after the n examples; its y is the answer."""

    x: Float[Tensor, "batch n_and_query d"]
    y: Float[Tensor, "batch n_and_query"]
    w: Float[Tensor, "batch d"]

    @property
    def answer(self) -> Float[Tensor, "batch"]:
        return self.y[:, -1]

    def tokens(self) -> Float[Tensor, "batch n_and_query d_and_1"]:
        """Z, a token (x, y) in each row; the query's y is hidden as 0."""
        y = self.y.clone()
        y[:, -1] = 0
        return torch.cat([self.x, y[..., None]], -1)


def draw_prompts(
    batch: int,
    n: int,
    d: int,
    generator: Generator,
    *,
    x_root: Float[Tensor, "d d"] | None = None,
    w_root: Float[Tensor, "d d"] | None = None,
    width: float | None = None,
    noise: float = 0.0,
    dtype: torch.dtype = torch.float32,
) -> Prompts:
    """Prompts with x ~ N(0, S) and w ~ N(0, T), where `x_root` and `w_root` are square
    roots of S and T, the identity where they are not given.

    With `width`, the coordinates of x are uniform in (-width/2, width/2) before
    `x_root`. `noise` is the standard deviation of what is added to each y, the answer
    included. Raises ValueError where a size or a root does not fit.
    """
    check_sizes(batch, n, d, noise, x_root, w_root)
    if width is None:
        x = torch.randn(batch, n + 1, d, generator=generator, dtype=dtype)
    else:
        uniform = torch.rand(batch, n + 1, d, generator=generator, dtype=dtype)
        x = width * (uniform - 0.5)
    w = torch.randn(batch, d, generator=generator, dtype=dtype)
    x = x if x_root is None else x @ x_root.mT.to(dtype)
    w = w if w_root is None else w @ w_root.mT.to(dtype)
    y = (x @ w[..., None])[..., 0]
    if noise:
        y = y + noise * torch.randn(batch, n + 1, generator=generator, dtype=dtype)
    return Prompts(x, y, w)


# --8<-- [end:prompts]


def root(covariance: Float[Tensor, "d1 d2"]) -> Float[Tensor, "d1 d1"]:
    """The symmetric square root of a covariance.

    Raises ValueError where it is not square, not symmetric or not positive
    semi-definite.
    """
    if covariance.shape[0] != covariance.shape[1]:
        rows, columns = covariance.shape
        raise ValueError(f"a covariance is square; this one is {rows} by {columns}")
    if not torch.allclose(covariance, covariance.mT):
        raise ValueError("a covariance is symmetric; this one is not")
    lam, U = torch.linalg.eigh(covariance)
    if lam[0] < -1e-6 * lam.abs().max():
        raise ValueError(
            f"a covariance has no negative eigenvalue; this one has {lam[0]:.3g}"
        )
    return U @ lam.clamp(min=0).sqrt().diag() @ U.mT


def random_rotation(
    d: int, generator: Generator, dtype: torch.dtype = torch.float32
) -> Float[Tensor, "d d"]:
    """An orthogonal matrix, all alike likely: Q of a Gaussian matrix, with the signs of
    R's diagonal taken out."""
    Q, R = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=dtype))
    return Q * R.diagonal().sign()


def check_sizes(
    batch: int,
    n: int,
    d: int,
    noise: float,
    x_root: Tensor | None,
    w_root: Tensor | None,
) -> None:
    """Raise ValueError, in words, where no such prompts exist."""
    for name, size in (("batch", batch), ("n", n), ("d", d)):
        if size < 1:
            raise ValueError(f"{name} = {size}: a prompt needs at least 1")
    if noise < 0:
        raise ValueError(f"noise = {noise} is a standard deviation: 0 or more")
    for name, given in (("x_root", x_root), ("w_root", w_root)):
        if given is not None and given.shape != (d, d):
            raise ValueError(
                f"{name} is {' by '.join(map(str, given.shape))}, but d = {d}: "
                f"give {d} by {d}"
            )
