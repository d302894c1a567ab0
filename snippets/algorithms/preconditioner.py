"""What is the best that one linear attention layer can do when inputs have a shape?

Source: ahn2023, theorem 1, for w ~ N(0, I); and the same for w ~ N(0, Sigma^-1), from which
its experiments draw. Their released code holds parts of the weights at zero; here all
of V, Q and K are free. The eigenvalues, d and n are those of the experiments.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.networks.folded import OneLayer, fold
from snippets.icl.streams import streams
from snippets.icl.tasks.linear_regression import Prompts
from snippets.icl.tasks.shaped_prompts import World, make_worlds
from snippets.icl.theory import best_steps
from snippets.icl.theory.step_checks import gradient_at, monte_carlo
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    lam: tuple[float, ...] = (1.0, 1.0, 0.25, 0.0625, 1.0)  # eigenvalues of Sigma
    n: int = 20
    # standard deviations of the first weights of V, and of Q and K
    starts: tuple[tuple[float, float], ...] = ((0.02, 0.02), (5.0, 0.02), (0.02, 1.0))
    batch: int = 2000
    n_steps: int = 2000
    learning_rate: float = 0.05
    betas: tuple[float, float] = (0.9, 0.999)
    evaluate_every: int = 50
    n_test: int = 2000  # prompts for what is measured during training
    n_monte_carlo: int = 100_000
    nudge: float = 0.2  # length of the changes to the best A that are tried
    sizes: tuple[int, ...] = (1, 2, 5, 10, 20, 50, 100, 200, 500)  # n in a figure


PRESETS = {"laptop": Config()}


# --8<-- [start:layer]
def steps_of(network: OneLayer) -> Float[Tensor, "run d d"]:
    """The A of its part that is odd in w: -(v_y B_x' + b_y v'), with B = K'Q."""
    w_V, B = network.w_V[:, 0].detach().double(), network.W_KQ[:, 0].detach().double()
    v, v_y = w_V[:, :-1], w_V[:, -1]
    B_x, b_y = B[:, :-1, :-1], B[:, -1, :-1]
    return -(v_y[:, None, None] * B_x.mT + b_y[:, :, None] * v[:, None])


# --8<-- [end:layer]


# --8<-- [start:even]
def even_part(network: OneLayer, prompts: Prompts) -> Float[Tensor, "run"]:
    """Mean square of the part of its prediction that stays when w turns into -w."""
    turned = Prompts(prompts.x, -prompts.y, -prompts.w)
    as_is, after = (network(fold(p.tokens())) for p in (prompts, turned))
    return ((as_is + after) / 2).square().mean(1)


# --8<-- [end:even]


# --8<-- [start:off]
def relative_error(
    A: Float[Tensor, "run d d"], best: Float[Tensor, "d d"]
) -> Float[Tensor, "run"]:
    """The largest share by which A is off in any direction of the input: the operator
    norm of best^-1/2 (A - best) best^-1/2. A single entry would hide a direction in
    which the best step is short."""
    lam, U = torch.linalg.eigh(best)
    half = U @ lam.rsqrt().diag() @ U.mT
    return torch.linalg.matrix_norm(half @ (A - best) @ half, ord=2)


# --8<-- [end:off]


# --8<-- [start:train]
def started(
    starts: Sequence[tuple[float, float]], d: int, generator: Generator
) -> OneLayer:
    """A layer for each start, with first weights of its sizes."""
    network = OneLayer(len(starts), d, generator, std=1.0)
    with torch.no_grad():
        for run, (std_v, std_qk) in enumerate(starts):
            network.w_V[run] *= std_v
            network.W_K[run] *= std_qk
            network.W_Q[run] *= std_qk
    return network


def train(
    world: World,
    starts: Sequence[tuple[float, float]],
    config: Config,
    generators: Sequence[Generator],
    loop: int,
) -> dict[str, np.ndarray]:
    """One layer from each of the starts, all of them on the same fresh prompts."""
    weights, data, held_out = generators
    network = started(starts, len(world.Sigma), weights)
    adam = torch.optim.Adam(
        network.parameters(), config.learning_rate, config.betas, fused=True
    )
    cool = torch.optim.lr_scheduler.LambdaLR(  # the second half goes to zero
        adam, lambda step: min(1.0, 2 - 2 * step / config.n_steps)
    )
    test = world.prompts(config.n_test, held_out)

    history = []
    for step in steps(config.n_steps + 1, loop=loop, of=2):
        if step % config.evaluate_every == 0:
            history.append(measure(network, world, test))
        prompts = world.prompts(config.batch, data)
        off = network(fold(prompts.tokens())) - prompts.answer
        adam.zero_grad()
        off.square().mean(1).sum().backward()
        adam.step()
        cool.step()

    B_x = network.W_KQ.detach()[:, 0, :-1, :-1]
    return {
        **dict(zip(("losses", "off", "even"), np.stack(history, -1))),  # (start, time)
        "A": steps_of(network).numpy(),
        "v_y": network.w_V.detach()[:, 0, -1].numpy(),
        "B_length": B_x.norm(dim=(1, 2)).numpy(),
    }


@torch.no_grad()
def measure(network: OneLayer, world: World, test: Prompts) -> np.ndarray:
    """Three numbers of each layer: the population loss, exact but for the even part,
    which is measured on prompts; how far A is from the best one; the even part."""
    A, even = steps_of(network), even_part(network, test).double()
    Sigma, T, n = world.Sigma, world.T, world.n
    odd = torch.stack([best_steps.population_loss(one, Sigma, T, n) for one in A])
    off = relative_error(A, best_steps.best_preconditioner(Sigma, T, n))
    return torch.stack([odd + even, off, even]).float().numpy()


# --8<-- [end:train]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    turning, sampling, *rest = streams(seed, 8)
    worlds = make_worlds(config.lam, config.n, turning)
    measured: dict[str, np.ndarray | float] = {
        "step": np.arange(0, config.n_steps + 1, config.evaluate_every),
        **{f"{name}_by_n": v for name, v in by_size(worlds["theorem"], config).items()},
    }
    for loop, (name, world) in enumerate(worlds.items()):
        starts = config.starts if name == "theorem" else config.starts[:1]
        found = {
            **computed(world, config, sampling),
            **train(world, starts, config, rest[3 * loop : 3 * loop + 3], loop),
        }
        measured |= {f"{name}_{key}": value for key, value in found.items()}
    plain_above = measured["theorem_scalar_loss"] / measured["theorem_best_loss"] - 1
    return measured | {"plain_above": plain_above}


# --8<-- [end:run]


def computed(
    world: World, config: Config, generator: Generator
) -> dict[str, np.ndarray | float]:
    """What is known before anything is trained, and its checks."""
    Sigma, T, n = world.Sigma, world.T, world.n
    best = best_steps.best_preconditioner(Sigma, T, n)
    choices = {
        "best": best,
        "scalar": best_steps.best_scalar(Sigma, T, n)
        * torch.eye(len(Sigma), dtype=Sigma.dtype),
        "inverse": torch.linalg.inv(Sigma),
        "zero": torch.zeros_like(Sigma),
    }
    losses = {
        f"{name}_loss": best_steps.population_loss(A, Sigma, T, n).item()
        for name, A in choices.items()
    }
    sampled = monte_carlo(best, world, config.n_monte_carlo, config.nudge, generator)
    return {
        "best_A": best.numpy(),
        "gradient": gradient_at(best, world).abs().max().item(),
        **losses,
        **{f"sampled_{key}": value for key, value in sampled.items()},
    }


def by_size(world: World, config: Config) -> dict[str, np.ndarray]:
    """Computed losses for other numbers of examples."""
    Sigma, T = world.Sigma, world.T
    eye = torch.eye(len(Sigma), dtype=Sigma.dtype)
    rows = []
    for n in config.sizes:
        choices = (
            best_steps.best_preconditioner(Sigma, T, n),
            best_steps.best_scalar(Sigma, T, n) * eye,
            torch.linalg.inv(Sigma),
        )
        rows.append(
            [best_steps.population_loss(A, Sigma, T, n).item() for A in choices]
        )
    columns = np.array(rows).T
    return dict(zip(("best", "scalar", "inverse"), columns)) | {
        "size": np.array(config.sizes)
    }


WORLDS = ("theorem", "white")


def steps_off(m: Measurements, world: str) -> float:
    """Largest relative error of a trained A in any direction, over all starts."""
    return 100 * float(m[f"{world}_off"][:, -1].max())


def above_least(m: Measurements) -> float:
    """Loss of the worst trained layer above the computed minimum, as a share of it."""
    return max(
        float(m[f"{w}_losses"][:, -1].max() / m[f"{w}_best_loss"] - 1) for w in WORLDS
    )


def even_share(m: Measurements) -> float:
    """Even part of the worst trained layer, as a share of its loss."""
    return max(
        float((m[f"{w}_even"][:, -1] / m[f"{w}_losses"][:, -1]).max()) for w in WORLDS
    )


def sampled_off(m: Measurements) -> float:
    """Sampled loss minus computed loss in standard errors, the larger of two worlds."""
    return max(
        float(abs(m[f"{w}_sampled_loss"] - m[f"{w}_best_loss"]))
        / float(m[f"{w}_sampled_error"])
        for w in WORLDS
    )


def scale_ratio(m: Measurements) -> float:
    """Largest v_y of the starts over the smallest, without signs."""
    size = np.abs(m["theorem_v_y"])
    return float(size.max() / size.min())


def near(m: Measurements) -> np.ndarray:
    """When the loss, of the first start, is within a twentieth of the least."""
    return m["theorem_losses"][0] < 1.05 * m["theorem_best_loss"]


def off_when_loss_is_near(m: Measurements) -> float:
    """How far A still is from the best one when the loss is first that near."""
    return 100 * float(m["theorem_off"][0][near(m)][0])


# fmt: off
CLAIMS = [
    Claim("gradient", lambda m: max(float(m[f"{w}_gradient"]) for w in WORLDS), below(1e-10), "",
          "At the closed form the gradient of the population loss is zero in every entry, to 1e-10.",
          digits=1, exact=True),
    Claim("sampled", sampled_off, below(4.5), "standard errors",
          "On 100,000 prompts the loss of the best step is what the formula says, to 4.5 standard errors.",
          exact=True),
    Claim("nudged", lambda m: min(float(m[f"{w}_sampled_least_rise_in_errors"]) for w in WORLDS),
          above(4), "standard errors",
          "On the same prompts each of 50 changed steps is worse, by more than four standard errors.",
          exact=True),
    Claim("entries", lambda m: steps_off(m, "theorem"), below(10), "percent",
          "Seen in any direction, the trained layer's A is within 10 % of the closed form, whatever the start."),
    Claim("entries-white", lambda m: steps_off(m, "white"), below(5), "percent",
          "With w ~ N(0, Σ^-1) it is within 5 % of n / (n + d + 1) times the inverse of Σ."),
    Claim("least", above_least, below(0.01), "of the minimum",
          "The trained layers' loss is within 1 % of the computed minimum."),
    Claim("beats-plain", lambda m: float(m["theorem_losses"][:, -1].max() / m["theorem_scalar_loss"]),
          below(0.95), "times",
          "A trained layer leaves less than 95 % of the loss of the best step of plain gradient descent.",
          digits=3),
    Claim("even", even_share, below(0.01), "of the loss",
          "What else the layer could do, it does not: the part of its prediction that a step cannot make is "
          "less than 1 % of the loss.",
          digits=1),
    Claim("scale", scale_ratio, above(2), "times",
          "From different starts v_y ends at different sizes, the largest more than twice the smallest."),
    Claim("loss-first", off_when_loss_is_near, above(25), "percent",
          "When the loss is first within 5 % of the minimum, A is still off by more than a quarter in some direction.",
          applies=lambda m: bool(near(m).any())),
]
# fmt: on
