"""If functions come from a Gaussian process with kernel K, which attention learns them
best: the one whose h is K?

Source: cheng2024, figure 1 and section 4: x on the unit sphere of 5 dimensions, three
layers, 14 examples. Here: h and K among linear, the kernel of relu features (arccos),
exp and RBF, and softmax as h; fresh prompts, 256 a step instead of 30,000; one pair of
matrices B, C for each layer, P on x, and r; Adam. Their relu of a product is no kernel.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    between,
)
from snippets.icl.networks.kernel_attention import KernelAttention
from snippets.icl.streams import streams
from snippets.icl.tasks.function_prompts import (
    FunctionPrompts,
    draw_functions,
    variance,
)
from snippets.icl.theory import function_steps, kernels
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    kernel: str  # K, of the functions
    h: tuple[str, ...] = ("linear", "arccos", "exp", "rbf", "softmax")
    n_layers: int = 3
    depths: tuple[int, ...] = (1, 2, 5)  # besides, for h = K
    rival_depths: tuple[int, ...] = ()  # and for softmax
    n_steps: int = 300
    d: int = 5
    n: int = 14
    batch: int = 256
    learning_rate: float = 0.05
    warm_up: int = 20
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0  # longest gradient
    n_test: int = 8000
    n_short: int = 4000  # of these, for the figure of the number of examples
    lengths: tuple[int, ...] = (5, 8, 11, 14)  # its numbers


PRESETS = {
    "laptop": {
        "linear": Config("linear"),
        "arccos": Config("arccos", rival_depths=(1, 5)),
        "exp": Config("exp", rival_depths=(1, 5)),
        "rbf": Config("rbf"),
        "exp-longer": Config("exp", ("exp", "rbf", "softmax"), depths=(), n_steps=600),
    }
}
KERNELS = ("linear", "arccos", "exp", "rbf")
Network = tuple[str, int]  # its h, its number of layers


# --8<-- [start:train]
def train(
    config: Config, weights: Generator, data: Generator
) -> dict[Network, KernelAttention]:
    """All networks of one kernel side by side, on the same prompts."""
    wanted = [(h, config.n_layers) for h in config.h]
    wanted += [(config.kernel, L) for L in config.depths]
    wanted += [("softmax", L) for L in config.rival_depths]
    networks = {(h, L): KernelAttention(L, config.d, h, weights) for h, L in wanted}
    adams = {
        name: torch.optim.Adam(
            network.parameters(), config.learning_rate, config.betas, fused=True
        )
        for name, network in networks.items()
    }
    for step in steps(config.n_steps):
        prompts = draw_functions(config.batch, config.n, config.d, config.kernel, data)
        for name, network in networks.items():
            adams[name].param_groups[0]["lr"] = rate(step, config)
            descend(network, adams[name], prompts, config.clip)
    return networks


def descend(
    network: KernelAttention,
    adam: torch.optim.Adam,
    prompts: FunctionPrompts,
    clip: float,
) -> None:
    """One step on these prompts."""
    adam.zero_grad()
    loss = (network(prompts.x, prompts.y) - prompts.answer).square().mean()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
    adam.step()


def rate(step: int, config: Config) -> float:
    """It rises in a line and falls as half a cosine."""
    cooled = (1 + math.cos(math.pi * step / config.n_steps)) / 2
    return config.learning_rate * min(1.0, (step + 1) / config.warm_up) * cooled


# --8<-- [end:train]


# --8<-- [start:oracles]
def oracles(config: Config, test: FunctionPrompts) -> dict[str, np.ndarray | float]:
    """The errors of predictors that know K: the posterior mean, on the same prompts and
    by its own account, and descent on a function with the best sizes."""
    K = kernels.named(config.kernel)(test.x.double(), test.x.double())
    shown, answer = test.y[:, :-1].double(), test.answer.double()
    middle, left = kernels.bayes(K, shown)
    depths = (*range(1, max((config.n_layers, *config.depths)) + 1),)
    plain = [function_steps.plain_bound(K, shown, answer, L) for L in depths]
    size = variance(config.kernel)
    return {
        "bayes": (middle - answer).square().mean().item() / size,
        "bayes_says": left.mean().item() / size,
        "plain": np.array(plain, np.float32) / size,
        **{
            f"bayes_of_{n}": bayes_error(test.first(n), config.kernel) / size
            for n in config.lengths
        },
    }


def bayes_error(prompts: FunctionPrompts, kernel: str) -> float:
    """The mean squared error of the posterior mean."""
    x, y = prompts.x.double(), prompts.y.double()
    middle, _ = kernels.bayes(kernels.named(kernel)(x, x), y[:, :-1])
    return (middle - y[:, -1]).square().mean().item()


# --8<-- [end:oracles]


# --8<-- [start:measure]
@torch.no_grad()
def errors(
    networks: dict[Network, KernelAttention], test: FunctionPrompts, size: float
) -> dict[Network, Tensor]:
    """Each network's squared error on each prompt, as a share of the variance of y."""
    return {
        name: (network(test.x, test.y) - test.answer).square() / size
        for name, network in networks.items()
    }


def mean(values: Tensor) -> float:
    """An overflow, inf - inf, counts as infinite."""
    found = values.mean().item()
    return math.inf if math.isnan(found) else found


# --8<-- [end:measure]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, exam = streams(seed, 3)
    networks = train(config, weights, data)
    test = draw_functions(config.n_test, config.n, config.d, config.kernel, exam)
    size, L = variance(config.kernel), config.n_layers
    found = errors(networks, test, size)
    measured: dict[str, np.ndarray | float] = dict(oracles(config, test))
    for (h, layers), error in found.items():
        measured[f"{h}_{layers}"] = mean(error)
    for h in config.h:  # paired: the same prompts, so their difficulty cancels
        apart = found[h, L] - found[config.kernel, L]
        measured[f"{h}_apart"] = mean(apart)
        measured[f"{h}_apart_error"] = mean(apart.std() / len(apart) ** 0.5)
    few = FunctionPrompts(test.x[: config.n_short], test.y[: config.n_short])
    at_L = {(h, L): networks[h, L] for h in config.h}
    for n in config.lengths:
        for (h, _), error in errors(at_L, few.first(n), size).items():
            measured[f"{h}_of_{n}"] = mean(error)
    return measured


# --8<-- [end:run]


def best(m: Measurements, K: str, without: tuple[str, ...] = ()) -> float:
    """The smallest error of three layers on functions of K, leaving out some h."""
    names = (h for h in PRESETS["laptop"][K].h if h not in without)
    return min(float(m[K][f"{h}_3"]) for h in names)


def to_rival(m: Measurements, K: str) -> float:
    """The error with h = K, as a share of that of the best other h."""
    return float(m[K][f"{K}_3"]) / best(m, K, without=(K,))


def gap(m: Measurements, K: str) -> float:
    """By what share the best h is above the Bayes predictor."""
    return best(m, K) / float(m[K]["bayes"]) - 1


def to_plain(m: Measurements, K: str) -> float:
    """The error with h = K, as a share of that of the best three plain steps."""
    return float(m[K][f"{K}_3"] / m[K]["plain"][2])


def ahead(cell: str, h: str) -> Callable[[Measurements], float]:
    """How far that h is ahead of h = K, as a share of the variance of y."""
    return lambda m: -float(m[cell][f"{h}_apart"])


def behind(cell: str, h: str) -> Callable[[Measurements], float]:
    return lambda m: float(m[cell][f"{h}_apart"])


def least_gain(m: Measurements) -> float:
    """By what share the error falls from one depth to the next, where least."""
    errors = [[m[K][f"{K}_{L}"] for L in (1, 2, 3, 5)] for K in KERNELS]
    return float(min(1 - one[i + 1] / one[i] for one in errors for i in range(3)))


def at_five(m: Measurements, K: str) -> float:
    """How far h = K is ahead of softmax with five layers, as a share of the variance."""
    return float(m[K]["softmax_5"] - m[K][f"{K}_5"])


def closes(m: Measurements, K: str) -> float:
    """Softmax's lead with five layers, in terms of that with three."""
    return at_five(m, K) / float(m[K]["softmax_apart"])


def linear_behind(m: Measurements) -> float:
    """Linear h on exp functions, and exp on linear ones: the other's error in terms of
    that of h = K; the lesser of the two."""
    on_exp = m["exp"]["linear_3"] / m["exp"]["exp_3"]
    return float(min(on_exp, m["linear"]["exp_3"] / m["linear"]["linear_3"]))


# fmt: off
CLAIMS = [
    Claim("linear-first", lambda m: to_rival(m, "linear"), below(0.2), "of its error",
          "On linear functions linear attention leaves less than a fifth of the error of every other h.",
          Reported("cheng2024", "figure 1", "on linear functions linear attention has the lowest loss", SMALLER)),
    Claim("exp-over-linear", linear_behind, above(2), "times",
          "Of linear h and exp the other one has over twice the error of that which made the functions.",
          Reported("cheng2024", "figure 1", "the h that matches the functions has the lowest loss", SMALLER)),
    Claim("rbf-softmax", behind("rbf", "softmax"), above(0), "of the variance",
          "On RBF functions softmax leaves more than h = K."),
    Claim("twins", lambda m: abs(float(m["rbf"]["exp_apart"])), below(0.008), "of the variance",
          "On RBF functions exp and RBF, on the sphere one kernel, are within 0.8 % of the variance of each other."),
    Claim("twins-exp", behind("exp", "rbf"), above(0), "of the variance",
          "On exp functions RBF leaves more than exp, though on the sphere they are one kernel."),
    Claim("exp-softmax", ahead("exp", "softmax"), above(0), "of the variance",
          "On exp functions three layers of softmax, which is no kernel, leave less than three with h = K."),
    Claim("arccos-softmax", ahead("arccos", "softmax"), above(0.015), "of the variance",
          "On arccos functions softmax leaves less than h = K, by more than 1.5 % of the variance."),
    Claim("arccos-exp", ahead("arccos", "exp"), above(0.005), "of the variance",
          "On arccos functions exp leaves less than h = K, by more than 0.5 % of the variance."),
    Claim("longer", ahead("exp-longer", "softmax"), above(0), "of the variance",
          "With twice the steps softmax is still ahead of exp on exp functions, with three layers."),
    Claim("closes", lambda m: closes(m, "exp"), below(0.5), "of the lead",
          "With five layers softmax's lead on exp functions is less than half of what it is with three."),
    Claim("at-five", lambda m: at_five(m, "exp"), between(-0.004, 0.008), "of the variance",
          "With five layers exp and softmax are within 0.8 % of the variance of each other on exp functions."),
    Claim("arccos-five", lambda m: -at_five(m, "arccos"), above(0.008), "of the variance",
          "With five layers softmax is still ahead on arccos functions, by more than 0.8 % of the variance."),
    Claim("linear-plain", lambda m: to_plain(m, "linear"), below(0.12), "of it",
          "On linear functions three trained layers leave less than an eighth of what the best plain steps leave."),
    Claim("arccos-plain", lambda m: to_plain(m, "arccos"), between(0.8, 0.97), "of it",
          "On arccos functions three trained layers with h = K leave 80 to 97 % of what the best plain steps leave."),
    Claim("exp-plain", lambda m: to_plain(m, "exp"), between(0.8, 0.95), "of it",
          "On exp functions they leave 80 to 95 % of it."),
    Claim("rbf-plain", lambda m: to_plain(m, "rbf"), between(0.95, 1.01), "of it", digits=3,
          says="On RBF functions they leave as much as the best plain steps, to a twentieth."),
    Claim("arccos-gap", lambda m: gap(m, "arccos"), above(0.2), "of its error",
          "On arccos functions no h of five comes within 20 % of the Bayes predictor with three layers."),
    Claim("exp-gap", lambda m: gap(m, "exp"), above(0.08), "of its error",
          "On exp functions none comes within 8 %."),
    Claim("rbf-gap", lambda m: gap(m, "rbf"), above(0.03), "of its error",
          "On RBF functions none comes within 3 %."),
    Claim("deeper", least_gain, above(0), "of the error",
          "With h = K the error falls from 1 layer to 2, to 3 and to 5, for each K."),
    Claim("short-exp", lambda m: float(m["exp"]["softmax_of_5"] - m["exp"]["exp_of_5"]), above(0.01),
          "of the variance",
          "Trained on 14 examples and shown 5, exp is ahead of softmax on exp functions."),
    Claim("short-rbf", lambda m: float(m["rbf"]["rbf_of_5"] / m["rbf"]["softmax_of_5"]), above(1.1), "times",
          "Trained on 14 examples and shown 5, RBF has over 1.1 times the error of softmax on RBF functions."),
]
# fmt: on
