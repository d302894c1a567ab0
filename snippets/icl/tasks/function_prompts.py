"""Functions as prompts: n examples of a function drawn from a Gaussian process.

    (x_1, f(x_1)), ..., (x_n, f(x_n)), x_query        f ~ GP(0, K),  |x_i| = 1

Each prompt has a function of its own. With K(u, v) = <u, v> the functions are linear.

Source: the task of cheng2024, section 4: x uniform on the unit sphere.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.icl.theory import kernels


# --8<-- [start:prompts]
@dataclass(frozen=True)
class FunctionPrompts:
    """The query stands last; its y is the answer."""

    x: Float[Tensor, "batch n_and_query d"]
    y: Float[Tensor, "batch n_and_query"]

    @property
    def answer(self) -> Float[Tensor, "batch"]:
        return self.y[:, -1]

    def first(self, n: int) -> "FunctionPrompts":
        """The same queries with the first n examples only. Raises ValueError where
        there are not so many."""
        if not 0 < n < self.x.shape[1]:
            raise ValueError(f"n = {n}: there are 1 to {self.x.shape[1] - 1} examples")
        kept = [*range(n), self.x.shape[1] - 1]
        return FunctionPrompts(self.x[:, kept], self.y[:, kept])


def draw_functions(
    batch: int, n: int, d: int, kernel: str, generator: Generator
) -> FunctionPrompts:
    """Prompts of functions with that kernel. Raises ValueError where a size is below 1
    or the kernel is unknown."""
    check_sizes(batch=batch, n=n, d=d)
    x = torch.randn(batch, n + 1, d, generator=generator)
    x = x / x.norm(dim=-1, keepdim=True)
    R = factor(x, kernel)
    y = R @ torch.randn(batch, R.shape[-1], 1, generator=generator)
    return FunctionPrompts(x, y[..., 0])


# --8<-- [end:prompts]


def factor(
    x: Float[Tensor, "batch m d"], kernel: str
) -> Float[Tensor, "batch m features"]:
    """R with R R' = K(x, x). Linear functions need no more than their d weights."""
    if kernel == "linear":
        return x
    K = kernels.named(kernel)(x, x).double()
    eye = torch.eye(x.shape[1], dtype=torch.float64)
    return torch.linalg.cholesky(K + 1e-5 * eye).float()  # 1e-5 for rounding alone


def variance(kernel: str) -> float:
    """K(x, x) on the sphere: the error of predicting 0."""
    kernels.named(kernel)
    return math.e if kernel == "exp" else 1.0


def check_sizes(**sizes: int) -> None:
    """Raise ValueError, in words, where no such prompts exist."""
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} = {size}: a prompt needs at least 1")
