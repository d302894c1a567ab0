"""What is the best that one linear attention layer can do when inputs have a shape?

Source: ahn2023, theorem 1, for w ~ N(0, I); and the same for w ~ N(0, S^-1), from which
the source's experiments draw. The source trains no single layer with all of V, Q and K
free: sizes d, n and the eigenvalues are those of its three-layer experiments.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Generator, Tensor

from snippets.book import style
from snippets.book.contract import Claim, Measurements, Reported
from snippets.icl import best_steps, oracles
from snippets.icl.linear_regression import (
    Prompts,
    draw_prompts,
    random_rotation,
    root,
)
from snippets.icl.progress import steps
from snippets.icl.simple_transformer import SimpleTransformer


@dataclass(frozen=True)
class Config:
    lam: tuple[float, ...] = (1.0, 1.0, 0.25, 0.0625, 1.0)  # eigenvalues of S
    n: int = 20
    # standard deviations of the first weights of V, and of Q and K
    starts: tuple[tuple[float, float], ...] = ((0.02, 0.02), (1.0, 0.02), (0.02, 0.4))
    batch: int = 1000
    n_steps: int = 2500
    learning_rate: float = 0.01
    betas: tuple[float, float] = (0.9, 0.99)
    evaluate_every: int = 50
    n_test: int = 4000  # prompts for what is measured during training
    n_monte_carlo: int = 200_000
    nudge: float = 0.2  # length of the changes to the best A that are tried
    sizes: tuple[int, ...] = (1, 2, 5, 10, 20, 50, 100, 200, 500)  # n in a figure


PRESETS = {"laptop": Config()}


# --8<-- [start:world]
@dataclass(frozen=True)
class World:
    """Where prompts come from: x ~ N(0, S) and w ~ N(0, T)."""

    U: Float[Tensor, "d d"]  # the eigenvectors of S
    S: Float[Tensor, "d d"]
    T: Float[Tensor, "d d"]
    n: int

    def prompts(self, batch: int, generator: Generator) -> Prompts:
        roots = {"x_root": root(self.S), "w_root": root(self.T)}
        return draw_prompts(batch, self.n, len(self.S), generator, **roots)


def make_worlds(config: Config, generator: Generator) -> dict[str, World]:
    """Two, that differ in the law of w only. S is turned at random."""
    U = random_rotation(len(config.lam), generator, torch.float64)
    lam = torch.tensor(config.lam, dtype=torch.float64)
    S, inverse = (U @ values.diag() @ U.mT for values in (lam, 1 / lam))
    eye = torch.eye(len(lam), dtype=torch.float64)
    return {"theorem": World(U, S, eye, config.n), "white": World(U, S, inverse, config.n)}


# --8<-- [end:world]


# --8<-- [start:stationary]
def gradient_at(A: Float[Tensor, "d d"], world: World) -> Float[Tensor, "d d"]:
    """Of the population loss, by autograd: each entry moves on its own."""
    A = A.clone().requires_grad_()
    best_steps.population_loss(A, world.S, world.T, world.n).backward()
    return A.grad


# --8<-- [end:stationary]


# --8<-- [start:monte_carlo]
def monte_carlo(
    A: Float[Tensor, "d d"], world: World, config: Config, generator: Generator
) -> dict[str, float]:
    """The loss of a step with A on many prompts, and by how much it rises when A is
    changed in each of d * d directions, both ways, on the same prompts.

    Direction (i, j) is u_i u_j' / sqrt(lam_i lam_j): off-diagonal where i is not j.
    """
    at_A, rises = [], []
    n_parts = 10
    whiten = world.U / (world.U.mT @ world.S @ world.U).diagonal().sqrt()
    for _ in range(n_parts):
        prompts = world.prompts(config.n_monte_carlo // n_parts, generator)
        x, query = prompts.x[:, :-1].double(), prompts.x[:, -1].double()
        y, answer = prompts.y[:, :-1].double(), prompts.answer.double()
        average = oracles.averaging(x, y)  # C w
        off = (query @ A * average).sum(-1) - answer
        # (batch, d, d): what direction (i, j) adds to the prediction
        adds = config.nudge * (query @ whiten)[:, :, None] * (average @ whiten)[:, None]
        at_A.append(off**2)
        ways = [(off[:, None, None] + sign * adds) ** 2 for sign in (1, -1)]
        rises.append(torch.stack(ways, 1) - off[:, None, None, None] ** 2)
    losses, rise = torch.cat(at_A), torch.cat(rises)
    in_errors = rise.mean(0) / standard_error(rise)
    return {
        "loss": losses.mean().item(),
        "error": standard_error(losses).item(),
        "least_rise": rise.mean(0).min().item(),
        "least_rise_in_errors": in_errors.min().item(),
    }


def standard_error(values: Float[Tensor, "batch *rest"]) -> Float[Tensor, "*rest"]:
    return values.std(0) / len(values) ** 0.5


# --8<-- [end:monte_carlo]


# --8<-- [start:layer]
def folded(prompts: Prompts) -> Float[Tensor, "batch d_and_1 d_and_1"]:
    """The mean of z_i z_i' over the examples: all that one linear layer sees of them."""
    examples = prompts.tokens()[:, :-1]
    return examples.mT @ examples / examples.shape[1]


def predict(
    network: SimpleTransformer,
    seen: Float[Tensor, "batch d_and_1 d_and_1"],
    query: Float[Tensor, "batch d_and_1"],
) -> Float[Tensor, "batch"]:
    """What `network`, of one layer and one head, predicts; its V, Q and K are free."""
    V, Q, K = network.V[0, 0], network.Q[0, 0], network.K[0, 0]
    asks = query @ Q.mT @ K  # (batch, d + 1)
    return -((seen @ asks[..., None])[..., 0] @ V[-1])


def step_of(network: SimpleTransformer) -> Float[Tensor, "d d"]:
    """The A of its part that is odd in w: -(v_y B_x' + b_y v'), with B = K'Q."""
    V, Q, K = (m[0, 0].detach().double() for m in (network.V, network.Q, network.K))
    B = K.mT @ Q
    return -(V[-1, -1] * B[:-1, :-1].mT + torch.outer(B[-1, :-1], V[-1, :-1]))


# --8<-- [end:layer]


# --8<-- [start:even]
def even_part(network: SimpleTransformer, prompts: Prompts) -> float:
    """Mean square of the part of its prediction that stays when w turns into -w."""
    turned = Prompts(prompts.x, -prompts.y, -prompts.w)
    query = prompts.tokens()[:, -1]
    both = [predict(network, folded(p), query) for p in (prompts, turned)]
    return (sum(both) / 2).square().mean().item()


# --8<-- [end:even]


# --8<-- [start:train]
def train(
    world: World,
    starts: Sequence[tuple[float, float]],
    config: Config,
    generator: Generator,
    loop: int,
) -> dict[str, np.ndarray]:
    """One layer from each of the starts, all of them on the same fresh prompts."""
    networks = []
    for std_v, std_qk in starts:
        network = SimpleTransformer(1, len(world.S), generator, std=std_qk)
        with torch.no_grad():
            network.V *= std_v / std_qk
        networks.append(network)
    weights = [p for network in networks for p in network.parameters()]
    optimizer = torch.optim.Adam(weights, config.learning_rate, config.betas)
    cooling = torch.optim.lr_scheduler.LambdaLR(  # the second half goes to zero
        optimizer, lambda step: min(1.0, 2 - 2 * step / config.n_steps)
    )
    test = world.prompts(config.n_test, generator)

    history = []
    for step in steps(config.n_steps + 1, loop=loop, of=2):
        if step % config.evaluate_every == 0:
            history.append([layer_loss(network, world, test) for network in networks])
        prompts = world.prompts(config.batch, generator)
        seen, query = folded(prompts), prompts.tokens()[:, -1]
        off = [predict(network, seen, query) - prompts.answer for network in networks]
        optimizer.zero_grad()
        sum(o.square().mean() for o in off).backward()
        optimizer.step()
        cooling.step()

    return {
        "losses": np.array(history).T,  # (start, measured step)
        "A": torch.stack([step_of(network) for network in networks]).numpy(),
        "v_y": np.array([network.V[0, 0, -1, -1].item() for network in networks]),
    }


def layer_loss(network: SimpleTransformer, world: World, test: Prompts) -> float:
    """The population loss: its odd part exactly, its even part on test prompts."""
    with torch.no_grad():
        step = best_steps.population_loss(step_of(network), world.S, world.T, world.n)
        return step.item() + even_part(network, test)


# --8<-- [end:train]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    generator = torch.Generator().manual_seed(seed)
    worlds = make_worlds(config, generator)
    measured: dict[str, np.ndarray | float] = {
        "step": np.arange(0, config.n_steps + 1, config.evaluate_every),
        "U": worlds["theorem"].U.numpy(),
        **{f"{name}_by_n": v for name, v in by_size(worlds["theorem"], config).items()},
    }
    for loop, (name, world) in enumerate(worlds.items()):
        S, T, n = world.S, world.T, world.n
        best = best_steps.best_preconditioner(S, T, n)
        eta = best_steps.best_scalar(S, T, n)
        steps_of = {
            "best": best,
            "scalar": eta * torch.eye(len(S), dtype=S.dtype),
            "inverse": torch.linalg.inv(S),
            "zero": torch.zeros_like(S),
        }
        starts = config.starts if name == "theorem" else config.starts[:1]
        found = {
            "best_A": best.numpy(),
            "gradient": gradient_at(best, world).abs().max().item(),
            **{
                f"{step}_loss": best_steps.population_loss(A, S, T, n).item()
                for step, A in steps_of.items()
            },
            **{
                f"sampled_{key}": value
                for key, value in monte_carlo(best, world, config, generator).items()
            },
            **train(world, starts, config, generator, loop),
        }
        measured |= {f"{name}_{key}": value for key, value in found.items()}
    return measured


def by_size(world: World, config: Config) -> dict[str, np.ndarray]:
    """Computed losses for other numbers of examples."""
    S, T = world.S, world.T
    eye = torch.eye(len(S), dtype=S.dtype)
    rows = []
    for n in config.sizes:
        choices = (
            best_steps.best_preconditioner(S, T, n),
            best_steps.best_scalar(S, T, n) * eye,
            torch.linalg.inv(S),
        )
        rows.append([best_steps.population_loss(A, S, T, n).item() for A in choices])
    columns = np.array(rows).T
    return dict(zip(("best", "scalar", "inverse"), columns)) | {
        "size": np.array(config.sizes)
    }


# --8<-- [end:run]


# --8<-- [start:derived]
def entries_off(m: Measurements, world: str) -> float:
    """Largest difference of a trained entry of A to the computed one, over all starts,
    as a share of the largest computed entry."""
    best = m[f"{world}_best_A"]
    return float(np.abs(m[f"{world}_A"] - best).max() / np.abs(best).max())


def above_least(m: Measurements, world: str) -> float:
    """Loss of the worst trained layer above the computed minimum, as a share of it."""
    return float(m[f"{world}_losses"][:, -1].max() / m[f"{world}_best_loss"] - 1)


def sampled_off(m: Measurements) -> float:
    """Sampled loss minus computed loss in standard errors, the larger of two worlds."""
    return max(
        float(abs(m[f"{w}_sampled_loss"] - m[f"{w}_best_loss"]))
        / float(m[f"{w}_sampled_error"])
        for w in ("theorem", "white")
    )


def scale_ratio(m: Measurements) -> float:
    """Largest v_y of the starts over the smallest, without signs."""
    size = np.abs(m["theorem_v_y"])
    return float(size.max() / size.min())


# --8<-- [end:derived]
