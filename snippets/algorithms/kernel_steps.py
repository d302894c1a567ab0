"""If attention's h is a kernel, what do its layers compute, and where do they lead?

Source: cheng2024, proposition 3.1 (layers are descent on a function) and proposition 3.4
(with h = K they lead to the Bayes predictor); cho2009, section 2, for the kernel of relu
features. Nothing is trained: networks are built, and compared with descent written in
two other ways and with the posterior mean.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, at_most, below, between
from snippets.icl.networks.kernel_attention import construction
from snippets.icl.streams import streams
from snippets.icl.tasks.function_prompts import draw_functions, variance
from snippets.icl.theory import function_steps, kernels
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    d: int = 5
    n: int = 14
    n_prompts: int = 300
    sizes: tuple[float, ...] = (0.6, 0.5, 0.4, 0.3)  # of the steps that are compared
    layers: tuple[int, ...] = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
    n_features: int = 200_000  # random relu features
    n_angles: int = 20_000  # of the sum that stands for the integral


PRESETS = {"laptop": Config()}
DOUBLE = torch.float64


# --8<-- [start:built]
def built_off(kernel: str, config: Config, data: Generator) -> dict[str, float]:
    """The largest differences, in any prompt and after any layer, of built attention to
    descent step by step, and of that to its closed form."""
    c = config
    prompts = draw_functions(c.n_prompts, c.n, c.d, kernel, data)
    x, y = prompts.x.double(), prompts.y.double()
    K, shown = kernels.named(kernel)(x, x), y[:, :-1]
    path = function_steps.descend(K, shown, c.sizes)[:, :, -1]  # at the query
    steps_off = closed_off = 0.0
    for L in range(1, len(c.sizes) + 1):
        sizes = c.sizes[:L]
        network = construction(kernel, list(sizes), c.d)
        closed = function_steps.closed_form(K, shown, sizes)
        with torch.no_grad():
            off = (network(x, y) - path[L]).abs().max().item()
        steps_off = max(steps_off, off)
        closed_off = max(closed_off, (closed - path[L]).abs().max().item())
    return {"steps_off": steps_off, "closed_off": closed_off}


# --8<-- [end:built]


# --8<-- [start:arccos]
def by_integral(theta: Float[Tensor, "angle"], n: int) -> Float[Tensor, "angle"]:
    """(2/pi) times the integral of cos(t) cos(t - theta) over the t at which both are
    positive, as a sum at n midpoints."""
    low = theta - math.pi / 2
    width = (math.pi - theta) / n
    t = low[:, None] + width[:, None] * (torch.arange(n, dtype=DOUBLE) + 0.5)
    return 2 / math.pi * width * (t.cos() * (t - theta[:, None]).cos()).sum(-1)


def by_features(
    theta: Float[Tensor, "angle"], n: int, generator: Generator
) -> tuple[Float[Tensor, "angle"], Float[Tensor, "angle"]]:
    """Twice the mean of relu(<a, u>) relu(<a, v>) over n draws of a, and its standard
    error, for unit vectors of a plane with that angle between them."""
    a = torch.randn(n, 2, generator=generator, dtype=DOUBLE)
    u, v = a[:, :1], a @ torch.stack([theta.cos(), theta.sin()])
    product = 2 * u.relu() * v.relu()  # (n, angle)
    return product.mean(0), product.std(0) / n**0.5


def arccos_off(config: Config, generator: Generator) -> dict[str, float]:
    """The kernel's formula against the integral, and against features, in errors."""
    theta = torch.linspace(0.1, 3.0, 12, dtype=DOUBLE)
    u = torch.tensor([[1.0, 0.0]], dtype=DOUBLE)
    v = torch.stack([theta.cos(), theta.sin()], -1)
    formula = kernels.arccos(u, v)[0]
    integral = by_integral(theta, config.n_angles)
    features, error = by_features(theta, config.n_features, generator)
    return {
        "integral_off": (formula - integral).abs().max().item(),
        "features_off": ((formula - features) / error).abs().max().item(),
    }


# --8<-- [end:arccos]


# --8<-- [start:sphere]
def on_the_sphere(config: Config, data: Generator) -> dict[str, float]:
    """Two kernels that are one there; two eigenvalues; and what a factor of 2 does."""
    x = draw_functions(config.n_prompts, config.n, config.d, "exp", data).x.double()
    x = x / x.norm(dim=-1, keepdim=True)
    inverse = 1 / kernels.LENGTH**2
    scaled = math.exp(-inverse) * (inverse * x @ x.mT).exp()
    least = torch.linalg.eigvalsh((x @ x.mT).relu()).min(-1).values
    half = (x @ x.mT / 2).exp()
    whole = kernels.exp(x, x)
    return {
        "one_kernel_off": (kernels.rbf(x, x) - scaled).abs().max().item(),
        "relu_share": (least < -1e-9).double().mean().item(),  # of the prompts
        "relu_least": least.median().item(),
        "arccos_least": torch.linalg.eigvalsh(kernels.arccos(x, x)).min().item(),
        "bayes_exp": exact_share(whole),
        "bayes_half": exact_share(half),
    }


def exact_share(K: Float[Tensor, "batch m m"]) -> float:
    """The posterior variance at the query, as a share of the prior's; its mean."""
    _, left = kernels.bayes(K, torch.zeros_like(K[:, 0, :-1]))
    return (left / K[:, -1, -1]).mean().item()


# --8<-- [end:sphere]


# --8<-- [start:far]
def distance_to_bayes(kernel: str, config: Config, data: Generator) -> np.ndarray:
    """Mean squared distance of descent from the posterior mean, by number of steps, as
    a share of the variance of y. Each prompt has the step that is safe for it."""
    c = config
    prompts = draw_functions(c.n_prompts, c.n, c.d, kernel, data)
    x, shown = prompts.x.double(), prompts.y[:, :-1].double()
    K = kernels.named(kernel)(x, x)
    mean, _ = kernels.bayes(K, shown)
    r = function_steps.safe_size(K, shown)[:, None, None]
    path = function_steps.descend(K * r, shown, [1.0] * max(c.layers))[..., -1]
    off = [(path[L] - mean).square().mean().item() for L in c.layers]
    return np.array(off) / variance(kernel)


# --8<-- [end:far]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    data, angles = streams(seed, 2)
    off: dict[str, np.ndarray | float] = {}
    for _, name in zip(steps(len(kernels.KERNELS)), kernels.KERNELS):
        found = built_off(name, config, data)
        off |= {f"{name}_{key}": value for key, value in found.items()}
        off[f"{name}_far"] = distance_to_bayes(name, config, data)
    return {**off, **arccos_off(config, angles), **on_the_sphere(config, data)}


# --8<-- [end:run]


def worst(m: Measurements, key: str) -> float:
    """Over the four kernels."""
    return max(float(m[f"{name}_{key}"]) for name in kernels.KERNELS)


def far_after(m: Measurements, kernel: str, layers: int) -> float:
    return float(m[f"{kernel}_far"][Config().layers.index(layers)])


def rises(m: Measurements) -> float:
    """The largest rise of the distance from one number of layers to the next."""
    return max(float(np.diff(m[f"{name}_far"]).max()) for name in kernels.KERNELS)


EXACT = below(1e-10)  # in float64


# fmt: off
CLAIMS = [
    Claim("steps", lambda m: worst(m, "steps_off"), EXACT, "",
          "With h = a kernel, B = C = I and P = 0 the layers are steps of functional gradient descent.",
          digits=1, exact=True),
    Claim("closed", lambda m: worst(m, "closed_off"), EXACT, "",
          "The steps are k' G^-1 (I - prod (I - r_l G / n)) y.", digits=1, exact=True),
    Claim("integral", lambda m: float(m["integral_off"]), below(1e-8), "",
          "The formula of arccos is the integral over directions, a sum at 20,000 angles.", digits=1, exact=True),
    Claim("features", lambda m: float(m["features_off"]), below(4.5), "standard errors",
          "At each of twelve angles it is the mean over 200,000 random relu features, to 4.5 standard errors.",
          exact=True),
    Claim("one-kernel", lambda m: float(m["one_kernel_off"]), EXACT, "",
          "On the sphere RBF is exp of a multiple of the product, times a constant.", digits=1, exact=True),
    Claim("relu", lambda m: float(m["relu_share"]), above(0.99), "of the prompts",
          "On the sphere the matrix of all max(<x_i, x_j>, 0) has a negative eigenvalue in over 99 prompts of 100."),
    Claim("arccos-psd", lambda m: float(m["arccos_least"]), above(0), "",
          "That of arccos has none in any prompt.", digits=1),
    Claim("half", lambda m: float(m["bayes_half"] / m["bayes_exp"]), between(0.28, 0.4), "of the share",
          "With exp(<u, v> / 2) the Bayes predictor leaves about a third of the share that it leaves with exp."),
    Claim("after-20", lambda m: far_after(m, "arccos", 20), above(0.02), "of the variance",
          "Twenty safe plain steps with h = K = arccos are over 2 % of the variance away from the posterior mean."),
    Claim("hundred", lambda m: far_after(m, "arccos", 100), between(0.005, 0.03), "of the variance",
          "A hundred are about 1 % of the variance away: over 0.5 % and under 3 %."),
    Claim("after-1000", lambda m: max(far_after(m, name, 1000) for name in kernels.KERNELS), below(0.002),
          "of the variance",
          "A thousand are less than 0.2 % of the variance away, with each of the four kernels.", digits=1),
    Claim("falls", rises, at_most(1e-9), "",
          "From each number of layers to the next the distance falls, with each kernel, to rounding."),
]
# fmt: on
