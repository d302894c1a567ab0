"""Which preconditioners do three linear attention layers learn?

Source: ahn2023, theorem 3 and figures 1 and 2: sizes, eigenvalues, and weights tied to
the form of lemma 1, so that each layer has one free matrix A. Here: fresh prompts at
every step instead of every 100, batch 1,000 instead of 20,000, Adam at 0.03 falling to
0 for 2,500 steps, the gradient clipped as a whole at 1. The `paper` preset has the
released code's batch, rate, clipping, steps and initial size, with fresh prompts.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import SMALLER, Claim, Measurements, Reported, above, below
from snippets.icl.networks.parts import normal
from snippets.icl.networks.simple_transformer import SimpleTransformer, one_step
from snippets.icl.streams import streams
from snippets.icl.tasks.linear_regression import (
    Prompts,
    draw_prompts,
    random_rotation,
    root,
)
from snippets.icl.theory import best_steps, oracles
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    lam: tuple[float, ...] = (1.0, 1.0, 0.25, 0.0625, 1.0)  # eigenvalues of S
    n: int = 20
    n_layers: int = 3
    std: float = 0.01  # of the first entries of each A
    batch: int = 1000
    n_steps: int = 2500
    learning_rate: float = 0.03
    halve_every: int | None = None  # steps; None: the rate falls to 0 in a line
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0  # longest gradient
    clip_each: bool = False  # of each matrix by itself
    evaluate_every: int = 50
    n_test: int = 5000  # prompts during training and after
    n_curvature: int = 20_000  # prompts for the Hessian


PRESETS = {
    "laptop": Config(),
    "paper": Config(
        std=0.0001,
        batch=20_000,
        n_steps=30_000,
        learning_rate=0.02,
        halve_every=2000,
        betas=(0.99, 0.9),
        clip=0.01,
        clip_each=True,
        evaluate_every=100,
    ),
}


# --8<-- [start:recursion]
def curvature(prompts: Prompts) -> Float[Tensor, "batch d d"]:
    """C = X'X / n, all that the layers need of the examples' inputs."""
    x = prompts.x[:, :-1]
    return x.mT @ x / x.shape[1]


def left_of_w(
    A: Float[Tensor, "layer d d"], w: Float[Tensor, "batch d"], C: Tensor
) -> Float[Tensor, "batch d"]:
    """w - w_L: each layer takes A C times what is left of w away from it."""
    # --8<-- [start:left]
    for step in A:
        w = w - (w[:, None] @ C)[:, 0] @ step.mT
    # --8<-- [end:left]
    return w


def loss_on(A: Float[Tensor, "layer d d"], prompts: Prompts) -> Float[Tensor, ""]:
    """The in-context loss of layers tied to the form of lemma 1."""
    left = left_of_w(A, prompts.w, curvature(prompts))
    return (prompts.x[:, -1] * left).sum(-1).square().mean()


# --8<-- [end:recursion]


# --8<-- [start:dist]
def dist(M: Float[Tensor, "layer d d"]) -> Float[Tensor, "layer"]:
    """Distance to the nearest multiple of the identity, as a share of M's length."""
    mean = M.diagonal(dim1=-2, dim2=-1).mean(-1)
    eye = torch.eye(M.shape[-1], dtype=M.dtype)
    return (M - mean[:, None, None] * eye).norm(dim=(-2, -1)) / M.norm(dim=(-2, -1))


# --8<-- [end:dist]


# --8<-- [start:train]
def train(
    Sigma: Float[Tensor, "d d"], config: Config, generators: list[Generator]
) -> tuple[Float[Tensor, "layer d d"], dict[str, np.ndarray]]:
    """The trained A, and what was measured on the way."""
    weights, data, held_out = generators
    half, d = root(Sigma), len(Sigma)
    roots = {"x_root": half, "w_root": torch.linalg.inv(half)}
    A = normal(config.n_layers, d, d, std=config.std, generator=weights)
    adam = torch.optim.Adam([A], config.learning_rate, config.betas, fused=True)
    test = draw_prompts(config.n_test, config.n, d, held_out, **roots)
    C_test, Sigma_float, half_float = curvature(test), Sigma.float(), half.float()

    history = []
    for step in steps(config.n_steps + 1):
        if step % config.evaluate_every == 0:
            with torch.no_grad():
                left = left_of_w(A, test.w, C_test)
                loss = (left @ Sigma_float * left).sum(-1).mean()  # over all queries
                white = half_float @ A @ half_float
                history.append((loss, dist(white), dist(A), trace_share(white)))
        prompts = draw_prompts(config.batch, config.n, d, data, **roots)
        adam.zero_grad()
        loss_on(A, prompts).backward()
        clip(A, config)
        for group in adam.param_groups:
            group["lr"] = rate(step, config)
        adam.step()

    names = ("loss", "dist_white", "dist_plain", "size")
    curves = {name: torch.stack(c).numpy() for name, c in zip(names, zip(*history))}
    return A.detach().double(), curves


def trace_share(M: Float[Tensor, "layer d d"]) -> Float[Tensor, "layer"]:
    """The multiple of the identity that is nearest to M."""
    return M.diagonal(dim1=-2, dim2=-1).mean(-1)


def rate(step: int, config: Config) -> float:
    if config.halve_every:
        return config.learning_rate * 0.5 ** (step // config.halve_every)
    return config.learning_rate * min(1.0, 2 - 2 * step / config.n_steps)


def clip(A: Tensor, config: Config) -> None:
    """Shorten the gradient where it is longer than allowed, in place."""
    gradient = A.grad
    assert gradient is not None
    norm = gradient.norm(dim=(-2, -1), keepdim=True)
    if not config.clip_each:
        norm = norm.norm()
    gradient *= (config.clip / norm).clamp(max=1)


# --8<-- [end:train]


# --8<-- [start:oracles]
def plain_bound(test: Prompts, n_layers: int) -> float:
    """No plain gradient descent of that many steps, with any step sizes, leaves less:
    the least over all polynomials p with p(0) = 1 of the mean of (x' p(C) w)^2."""
    x, w = test.x[:, -1], test.w
    C, powers = curvature(test), []
    for _ in range(n_layers):
        w = (w[:, None] @ C)[:, 0]
        powers.append((x * w).sum(-1))
    features = torch.stack(powers, -1)  # (batch, n_layers)
    found = oracles.least_squares(features[None], test.answer[None])[0]
    return (test.answer - features @ found).square().mean().item()


def hessian_at(
    sizes: Float[Tensor, "layer"], config: Config, generator: Generator
) -> Float[Tensor, "entry entry"]:
    """Of the loss over all entries of all A, at A_l = a_l S^-1, on white inputs: the
    substitution x -> S^-1/2 x turns every S into the identity."""
    d, n_layers = len(config.lam), len(sizes)
    prompts = draw_prompts(
        config.n_curvature, config.n, d, generator, dtype=torch.float64
    )
    C = curvature(prompts)
    eye = torch.eye(d, dtype=torch.float64)

    def loss(entries: Tensor) -> Tensor:  # the mean over all queries is a length
        left = left_of_w(entries.view(n_layers, d, d), prompts.w, C)
        return left.square().sum(-1).mean()

    at = (sizes[:, None, None] * eye).flatten()
    return torch.autograd.functional.hessian(loss, at)


# --8<-- [end:oracles]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    turning, curving, tests, *training = streams(seed, 6)
    d = len(config.lam)
    U = random_rotation(d, turning, torch.float64)
    Sigma = U @ torch.tensor(config.lam, dtype=torch.float64).diag() @ U.mT
    best_steps.check(Sigma, Sigma, config.n)
    A, curves = train(Sigma, config, training)

    best_sizes, best_loss = best_steps.best_step_sizes(config.n, d, config.n_layers)
    order = np.argsort(np.argsort(curves["size"][-1]))  # the layers' ranks by size
    sizes = torch.from_numpy(best_sizes[order])
    least, *_, most = torch.linalg.eigvalsh(hessian_at(sizes, config, curving))
    return {
        "step": np.arange(0, config.n_steps + 1, config.evaluate_every),
        **curves,
        "best_sizes": best_sizes,
        **{f"best_size_{rank + 1}": size for rank, size in enumerate(best_sizes)},
        "best_loss": best_loss,
        "inverse_dist": dist(torch.linalg.inv(Sigma)[None]).item(),
        "least_curvature": least.item(),
        "most_curvature": most.item(),
        **on_test(A, sizes, Sigma, config, tests),
    }


# --8<-- [end:run]


def on_test(
    A: Tensor, sizes: Tensor, Sigma: Tensor, config: Config, generator: Generator
) -> dict[str, float]:
    """Trained, computed and plain steps on the same prompts, and the recursion beside
    the network that it stands for."""
    d, half = len(Sigma), root(Sigma)
    roots = {"x_root": half, "w_root": torch.linalg.inv(half)}
    double = torch.float64
    test = draw_prompts(config.n_test, config.n, d, generator, **roots, dtype=double)
    x, y = test.x[:, :-1], test.y[:, :-1]
    exact = (oracles.least_squares(x, y) * test.x[:, -1]).sum(-1)
    network = SimpleTransformer(config.n_layers, d, generator).double()
    for layer, step in enumerate(A):
        network.set_layer(layer, *one_step(step))
    some = Prompts(test.x[:100], test.y[:100], test.w[:100])
    left = left_of_w(A, some.w, curvature(some))
    recursion = (some.x[:, -1] * (some.w - left)).sum(-1)
    family = sizes[:, None, None] * torch.linalg.inv(Sigma)
    return {
        "final_loss": loss_on_all_queries(A, Sigma, test),
        "family_loss": loss_on_all_queries(family, Sigma, test),
        "plain_loss": plain_bound(test, config.n_layers),
        "least_squares_loss": (exact - test.answer).square().mean().item(),
        "zero_loss": float(d),
        "unlike_network": (network(some.tokens()) - recursion).abs().max().item(),
    }


def loss_on_all_queries(A: Tensor, Sigma: Tensor, test: Prompts) -> float:
    """The loss with the mean over queries taken exactly."""
    left = left_of_w(A, test.w, curvature(test))
    return (left @ Sigma * left).sum(-1).mean().item()


def sizes_off(m: Measurements) -> float:
    """Largest relative difference of the layers' sizes, sorted, to the best ones."""
    return float(np.abs(np.sort(m["size"][-1]) / m["best_sizes"] - 1).max())


def above_family(m: Measurements) -> float:
    """Trained loss above that of the best a_l S^-1 on the same prompts, as a share."""
    return float(m["final_loss"] / m["family_loss"] - 1)


def last_to_others(m: Measurements) -> float:
    """Size of the last layer's step, as a multiple of the largest one before it."""
    *others, last = m["size"][-1]
    return float(last / max(others))


# fmt: off
CLAIMS = [
    Claim("white", lambda m: float(m["dist_white"][-1].max()), below(0.1), "",
          "At the end Dist(Σ^1/2 A Σ^1/2, I) is below 0.1 in each of the three layers.",
          Reported("ahn2023", "figure 1", "the distance falls toward 0 in each layer", SMALLER)),
    Claim("plain", lambda m: float(m["dist_plain"][-1].min()), above(0.7), "",
          "At the end Dist(A, I) is above 0.7 in each layer.",
          Reported("ahn2023", "figure 1", "the distance of A itself stays near 0.75", SMALLER)),
    Claim("family", above_family, below(0.05), "of that loss",
          "The trained loss is within 5 % of the least that layers of the form a Σ^-1 can reach."),
    Claim("sizes", sizes_off, below(0.05), "of the size",
          "The three sizes, sorted, are within 5 % of the computed ones.",
          Reported("ahn2023", "figure 2", "multiples of the identity of 0.69, 0.43 and 1.71 in size", SMALLER)),
    Claim("last", last_to_others, above(1.5), "times",
          "The last layer's step is more than 1.5 times as large as any other.",
          Reported("ahn2023", "figure 2", "the last layer's multiple, 1.71, is the largest", SMALLER)),
    Claim("valley", lambda m: float(m["least_curvature"]), above(0), "",
          "At the best sizes the loss curves upward in all 75 directions: the least eigenvalue of its "
          "Hessian, estimated on prompts, is positive.",
          exact=True),
    Claim("beats-plain", lambda m: float(m["plain_loss"] / m["final_loss"]), above(5), "times",
          "Three plain gradient steps of any sizes leave more than five times the trained loss."),
]
# fmt: on
