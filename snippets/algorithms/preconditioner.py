"""What is the best that one linear attention layer can do when inputs have a shape?

Source: ahn2023, theorem 1, for w ~ N(0, I); and the same for w ~ N(0, S^-1), from which
its experiments draw. Their released code holds parts of the weights at zero; here all
of V, Q and K are free. The eigenvalues, d and n are those of the experiments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import REPRODUCED, Claim, Measurements, Reported, above, below
from snippets.icl.networks.simple_transformer import SimpleTransformer
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
    # standard deviations of the first weights of V, and of Q and K
    starts: tuple[tuple[float, float], ...] = ((0.02, 0.02), (5.0, 0.02), (0.02, 1.0))
    batch: int = 2000
    n_steps: int = 2000
    learning_rate: float = 0.05
    betas: tuple[float, float] = (0.9, 0.999)
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

    @cached_property
    def roots(self) -> tuple[Tensor, Tensor]:
        return root(self.S), root(self.T)

    def prompts(self, batch: int, generator: Generator) -> Prompts:
        x_root, w_root = self.roots
        d = len(self.S)
        return draw_prompts(batch, self.n, d, generator, x_root=x_root, w_root=w_root)


def make_worlds(config: Config, generator: Generator) -> dict[str, World]:
    """Two, that differ in the law of w only. S is turned at random."""
    U = random_rotation(len(config.lam), generator, torch.float64)
    lam = torch.tensor(config.lam, dtype=torch.float64)
    S, inverse = (U @ values.diag() @ U.mT for values in (lam, 1 / lam))
    eye = torch.eye(len(lam), dtype=torch.float64)
    return {
        "theorem": World(U, S, eye, config.n),
        "white": World(U, S, inverse, config.n),
    }


# --8<-- [end:world]


# --8<-- [start:stationary]
def gradient_at(A: Float[Tensor, "d d"], world: World) -> Float[Tensor, "d d"]:
    """Of the population loss, by autograd: each entry moves on its own."""
    A = A.clone().requires_grad_()
    loss = best_steps.population_loss(A, world.S, world.T, world.n)
    return torch.autograd.grad(loss, A)[0]


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
    """The mean of z_i z_i' over the examples: all that a linear layer sees of them."""
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
    as_is, after = (predict(network, folded(p), query) for p in (prompts, turned))
    return ((as_is + after) / 2).square().mean().item()


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
            network.V.mul_(std_v / std_qk)
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
            history.append([measure(network, world, test) for network in networks])
        prompts = world.prompts(config.batch, generator)
        seen, query = folded(prompts), prompts.tokens()[:, -1]
        guesses = torch.stack([predict(network, seen, query) for network in networks])
        optimizer.zero_grad()
        (guesses - prompts.answer).square().mean(1).sum().backward()
        optimizer.step()
        cooling.step()

    weights_of = [weights_in_use(network) for network in networks]
    return {
        **dict(zip(("losses", "off", "even"), np.array(history).T)),  # (start, time)
        "A": torch.stack([step_of(network) for network in networks]).numpy(),
        "v_y": np.array([v_y for v_y, _ in weights_of]),
        "B_length": np.array([length for _, length in weights_of]),
    }


@torch.no_grad()
def measure(
    network: SimpleTransformer, world: World, test: Prompts
) -> tuple[float, float, float]:
    """The population loss, exact but for the even part, which is measured on prompts;
    how far A is from the best one; and the even part."""
    A, even = step_of(network), even_part(network, test)
    best = best_steps.best_preconditioner(world.S, world.T, world.n)
    odd = best_steps.population_loss(A, world.S, world.T, world.n).item()
    return odd + even, ((A - best).abs().max() / best.abs().max()).item(), even


@torch.no_grad()
def weights_in_use(network: SimpleTransformer) -> tuple[float, float]:
    """v_y, and the length of the x block of K'Q."""
    B = network.K[0, 0].mT @ network.Q[0, 0]
    return network.V[0, 0, -1, -1].item(), B[:-1, :-1].norm().item()


# --8<-- [end:train]


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
    return measured | {
        "plain_above": measured["theorem_scalar_loss"] / measured["theorem_best_loss"]
        - 1
    }


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


WORLDS = ("theorem", "white")


def entries_off(m: Measurements, world: str) -> float:
    """Largest difference of a trained entry of A to the computed one, over all starts,
    as a share of the largest computed entry."""
    return float(m[f"{world}_off"][:, -1].max())


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


def off_when_loss_is_near(m: Measurements) -> float:
    """How far A still is from the best one when the loss, of the first start, is first
    within a twentieth of the least; 0 if it never is."""
    near = m["theorem_losses"][0] < 1.05 * m["theorem_best_loss"]
    return float(m["theorem_off"][0][near][0]) if near.any() else 0.0


# fmt: off
CLAIMS = [
    Claim("gradient", lambda m: max(float(m[f"{w}_gradient"]) for w in WORLDS), below(1e-10), "at most",
          "At the closed form the gradient of the population loss is zero in every entry, to 1e-10.",
          digits=1),
    Claim("sampled", sampled_off, below(4), "standard errors",
          "On 200,000 prompts the loss of the best step is what the formula says, to four standard errors."),
    Claim("nudged", lambda m: min(float(m[f"{w}_sampled_least_rise_in_errors"]) for w in WORLDS),
          above(5), "standard errors",
          "On the same prompts each of 50 changed steps is worse, by more than five standard errors."),
    Claim("entries", lambda m: entries_off(m, "theorem"), below(0.05), "of the largest entry",
          "Each entry of the trained layer's A is within 5 % of the closed form, whatever the start.",
          Reported("ahn2023", "theorem 1", "the closed form is a global minimum of the layer's loss", REPRODUCED)),
    Claim("entries-white", lambda m: entries_off(m, "white"), below(0.05), "of the largest entry",
          "With w ~ N(0, S^-1) they are within 5 % of n / (n + d + 1) times the inverse of S."),
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
    Claim("loss-first", off_when_loss_is_near, above(0.25), "of the largest entry",
          "When the loss is first within 5 % of the minimum, some entry of A is still off by more than a "
          "quarter."),
]
# fmt: on
