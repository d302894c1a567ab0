"""How often does a layer never find the step of gradient descent, and what does it do
instead?

Source: vonoswald2023, appendix A.11, which reports long plateaus that depend on the
seed, and two heads as the cure. Here each seed trains 48 layers at once from 48 first
draws of weights, on the same prompts; Adam at 0.005 for 800 steps, batches of 512. The
`paper` preset has the source's batch of 2048, rate of 0.001 and 5,000 steps.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Generator

from snippets.book import style
from snippets.book.contract import Claim, Measurements, Reported
from snippets.icl.best_rate import least_loss
from snippets.icl.folded import OneLayer, fold
from snippets.icl.linear_regression import draw_prompts
from snippets.icl.progress import steps


@dataclass(frozen=True)
class Config:
    d: int = 10
    n: int = 10
    width: float = 1.0  # x is uniform in (-width/2, width/2)
    n_runs: int = 48  # first draws of weights
    std: float = 0.02
    batch: int = 512
    learning_rate: float = 0.005
    n_steps: int = 800
    slow_learning_rate: float = 0.001
    n_slow_steps: int = 1500
    record_every: int = 10
    n_test: int = 20_000


PRESETS = {
    "laptop": Config(),
    "paper": Config(
        std=0.0135,
        batch=2048,
        learning_rate=0.001,
        n_steps=5000,
        slow_learning_rate=0.0002,
        n_slow_steps=25_000,
    ),
}

WAYS = ("one head", "two heads", "one matrix", "slow")


# --8<-- [start:ways]
def as_one_matrix(network: OneLayer) -> None:
    """Put the identity for K and keep it there, so that W = K'Q is Q alone."""
    network.K.requires_grad_(False)
    network.K.copy_(torch.eye(network.K.shape[-1]).expand_as(network.K))


def build(way: str, config: Config, generator: Generator) -> OneLayer:
    n_heads = 2 if way == "two heads" else 1
    network = OneLayer(config.n_runs, config.d, generator, n_heads, config.std)
    if way == "one matrix":
        as_one_matrix(network)
    return network


# --8<-- [end:ways]


# --8<-- [start:train]
def train(
    network: OneLayer,
    config: Config,
    generator: Generator,
    learning_rate: float,
    ticks: Callable,
    n_steps: int,
) -> np.ndarray:
    """Train all at once; returns the loss on the training batches, (record, run)."""
    weights = [p for p in network.parameters() if p.requires_grad]
    adam = torch.optim.Adam(weights, learning_rate, betas=(0.9, 0.98))
    cool = torch.optim.lr_scheduler.LambdaLR(
        adam, lambda step: min(1, (1 - step / n_steps) / 0.4)
    )
    losses = []
    for _ in ticks(n_steps):
        prompts = draw_prompts(
            config.batch, config.n, config.d, generator, width=config.width
        )
        predicted = network(fold(prompts.tokens()))  # (run, batch)
        loss = (predicted - prompts.answer).square().mean(1) / 2
        adam.zero_grad()
        loss.sum().backward()
        adam.step()
        cool.step()
        losses.append(loss.detach())
    recorded = torch.stack(losses).unfold(0, config.record_every, config.record_every)
    return recorded.mean(-1).numpy()


# --8<-- [end:train]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    measured: dict[str, np.ndarray] = {}
    for index, way in enumerate(WAYS):
        slow = way == "slow"
        generator = Generator().manual_seed(seed)  # the same first weights, one head
        network = build(way, config, generator)
        curves = train(
            network,
            config,
            generator,
            config.slow_learning_rate if slow else config.learning_rate,
            lambda n, index=index: steps(n, loop=index, of=len(WAYS)),
            config.n_slow_steps if slow else config.n_steps,
        )
        test = draw_prompts(
            config.n_test, config.n, config.d, generator, width=config.width
        )
        with torch.no_grad():
            predicted = network(fold(test.tokens()))
        loss = ((predicted - test.answer).square().mean(1) / 2).numpy()
        v_squared = network.v.detach().square()  # (run, head, d + 1)
        name = way.replace(" ", "_")
        measured |= {
            f"{name}_curves": curves,
            f"{name}_loss": loss,
            # against no map, on the same prompts: spares their sampling error
            f"{name}_share": loss / (test.answer.square().mean() / 2).item(),
            # how much of v reads x: 0 in the constructed layer
            f"{name}_mirrored": (
                v_squared[..., :-1].sum((1, 2)) / v_squared.sum((1, 2))
            ).numpy(),
        }
    ranks = (0, 1, 2, config.d)
    levels = [least_loss(config.width, config.n, config.d, rank) for rank in ranks]
    return {**measured, "levels": np.array(levels)}


# --8<-- [end:run]


# --8<-- [start:derived]
STUCK = 1.5  # times the optimum's loss


def stuck(m: Measurements, way: str) -> np.ndarray:
    """Which layers end far above the optimum."""
    return m[f"{way}_loss"] > STUCK * m["levels"][-1]


def share_stuck(m: Measurements, way: str) -> float:
    return float(stuck(m, way).mean())


def of_the_stuck(m: Measurements, name: str) -> float:
    """The median of a measure over the stuck layers with one head, or infinity where
    there is none."""
    which = stuck(m, "one_head")
    return float(np.median(m[f"one_head_{name}"][which])) if which.any() else np.inf


def two_against_one(m: Measurements) -> float:
    """Share stuck with two heads over that with one; infinity if none is stuck."""
    one = share_stuck(m, "one_head")
    return share_stuck(m, "two_heads") / one if one else np.inf


# --8<-- [end:derived]


CLAIMS = [
    Claim(
        id="stuck",
        says=("With one head between 2 and 35 in 100 first draws end on the plateau."),
        value=lambda m: 100 * share_stuck(m, "one_head"),
        holds=lambda v: 2 <= v <= 35,
        unit="in 100",
        reported=Reported(
            "vonoswald2023",
            "appendix A.11",
            "plateaus whose length depends on the seed",
            "reproduced",
        ),
    ),
    Claim(
        id="slow",
        says="At a fifth of the learning rate it is between 2 and 35 in 100 too.",
        value=lambda m: 100 * share_stuck(m, "slow"),
        holds=lambda v: 2 <= v <= 35,
        unit="in 100",
    ),
    Claim(
        id="two-heads",
        says="With two heads it is fewer than 10 in 100.",
        value=lambda m: 100 * share_stuck(m, "two_heads"),
        holds=lambda v: v < 10,
        unit="in 100",
        reported=Reported(
            "vonoswald2023",
            "appendix A.11",
            "two heads cure the plateaus",
            "reproduced",
        ),
    ),
    Claim(
        id="fewer",
        says="That is fewer than three quarters of what it is with one head.",
        value=two_against_one,
        holds=lambda v: v < 0.75,
        unit="of the share",
    ),
    Claim(
        id="mirrored",
        says=(
            "Of the value vector v of a stuck layer, more than nine tenths read x "
            "(the median of them)."
        ),
        value=lambda m: of_the_stuck(m, "mirrored"),
        holds=lambda v: 0.9 < v <= 1,
        unit="of |v|²",
        digits=3,
    ),
    Claim(
        id="level",
        says=(
            "The loss of a stuck layer (the median) is within 3 percent of that of a "
            "map of rank 1."
        ),
        value=lambda m: (
            of_the_stuck(m, "share") / float(m["levels"][1] / m["levels"][0])
        ),
        holds=lambda v: 0.97 < v < 1.03,
        unit="of the level",
        digits=3,
    ),
    Claim(
        id="one-matrix",
        says="With one matrix in place of K'Q fewer than 6 in 100 stay there.",
        value=lambda m: 100 * share_stuck(m, "one_matrix"),
        holds=lambda v: v < 6,
        unit="in 100",
    ),
]


# --8<-- [start:draw]
def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"curves": draw_curves(runs), "ends": draw_ends(runs)}


# --8<-- [end:draw]


def draw_curves(runs: list[Measurements]) -> Figure:
    """Every layer of every seed, one way a panel."""
    ways = ("one_head", "two_heads", "one_matrix")
    figure, axes = style.panels(3, height=2.0, sharex=True)
    levels = runs[0]["levels"]
    for ax, way in zip(axes[:, 0], ways):
        curves = np.concatenate([m[f"{way}_curves"] for m in runs], 1)[::2]
        x = 20 * np.arange(len(curves))  # every second record of ten steps
        late = curves[-5:].mean(0) > STUCK * levels[-1]
        lines = ax.plot(x, curves[:, ~late], color=style.colour(0), lw=0.4, alpha=0.25)
        lines += ax.plot(x, curves[:, late], color=style.colour(1), lw=0.5, alpha=0.5)
        for line in lines:
            line.set_rasterized(True)
        title = f"{way.replace('_', ' ')}: {late.sum()} of {late.size} stuck"
        ax.set(ylabel="loss", ylim=(0.17, 0.46), title=title)
        ranks = (1, 2) if way == "two_heads" else (1,)
        for rank in ranks:
            ax.axhline(levels[rank], color=style.ink(), lw=0.8, ls=":")
        style.level(ax, levels[-1], "optimum", below=True)
    axes[-1, 0].set_xlabel("training step")
    return figure


def draw_ends(runs: list[Measurements]) -> Figure:
    """How much of v reads x against the loss at the end, for every layer."""
    figure, axes = style.panels(1, height=3.2)
    ax = axes[0, 0]
    ways = (("one_head", "o"), ("two_heads", "x"), ("one_matrix", "+"))
    for index, (way, marker) in enumerate(ways):
        x = np.concatenate([m[f"{way}_mirrored"] for m in runs])
        y = np.concatenate([m[f"{way}_loss"] for m in runs])
        ax.plot(
            x,
            y,
            marker,
            color=style.colour(index),
            alpha=0.6,
            markersize=4,
            label=way.replace("_", " "),
        )
    for name, at in zip(("no map", "rank 1", "rank 2", "optimum"), runs[0]["levels"]):
        style.level(ax, at, name, x=0.6, below=name in ("rank 2", "optimum"))
    ax.set(
        xlabel="share of |v|² that reads x",
        ylabel="loss at the end",
        xlim=(-0.03, 1.03),
        ylim=(0.18, 0.44),
    )
    ax.legend(loc="center left", bbox_to_anchor=(0.02, 0.5))
    return figure
