"""How often does a layer stay away from the step of gradient descent, what does it do
instead, and would it leave?

Source: vonoswald2023, appendix A.11, which reports long plateaus that depend on the
seed, and two heads as the cure. Here each seed trains 48 layers at once from 48 first
draws of weights, on the same prompts; Adam at a constant 0.005 for 800 steps, batches
of 256. The `paper` preset has the source's batch of 2048, rate of 0.001 and 5,000
steps.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
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
from snippets.icl.networks.folded import OneLayer, fold
from snippets.icl.streams import streams
from snippets.icl.tasks.linear_regression import Prompts, draw_prompts
from snippets.icl.theory.best_rate import directions_needed, least_loss, mean_loss
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    d: int = 10
    n: int = 10
    width: float = 1.0  # x is uniform in (-width/2, width/2)
    n_runs: int = 48  # first draws of weights
    std: float = 0.02
    batch: int = 256
    learning_rate: float = 0.005
    n_steps: int = 800
    n_more_steps: int = 1600  # for the layers that are stuck after n_steps
    n_mean_steps: int = 600  # on the mean loss
    record_every: int = 25
    n_test: int = 5000


PRESETS = {
    "laptop": Config(),
    "paper": Config(
        std=0.0135,
        batch=2048,
        learning_rate=0.001,
        n_steps=5000,
        n_more_steps=15_000,
        n_mean_steps=5000,
    ),
}

WAYS = ("one head", "two heads", "one matrix")
STUCK = 1.5  # times the optimum's loss: what ends above has not found the step


# --8<-- [start:ways]
def as_one_matrix(network: OneLayer) -> None:
    """Put the identity for K and keep it there, so that W = K'Q is Q alone."""
    network.W_K.requires_grad_(False)
    network.W_K.copy_(torch.eye(network.W_K.shape[-1]).expand_as(network.W_K))


def build(way: str, config: Config, generator: Generator) -> OneLayer:
    n_heads = 2 if way == "two heads" else 1
    network = OneLayer(config.n_runs, config.d, generator, n_heads, config.std)
    if way == "one matrix":
        as_one_matrix(network)
    return network


def only(network: OneLayer, which: np.ndarray) -> OneLayer:
    """A copy of some of the networks, to go on with them in more than one way."""
    some = copy.deepcopy(network)
    for weights in some.parameters():
        weights.data = weights.data[torch.from_numpy(which)]
    return some


# --8<-- [end:ways]


# --8<-- [start:losses]
def draw(config: Config, count: int, generator: Generator) -> Prompts:
    return draw_prompts(count, config.n, config.d, generator, width=config.width)


def loss_on(network: OneLayer, prompts: Prompts) -> Float[Tensor, "run"]:
    off = network(fold(prompts.tokens())) - prompts.answer  # (run, batch)
    return off.square().mean(1) / 2


def noisy_loss(
    network: OneLayer, config: Config, data: Generator
) -> Callable[[], Tensor]:
    """What training usually descends: the loss on a batch, a fresh one at each call."""
    return lambda: loss_on(network, draw(config, config.batch, data))


def noiseless_loss(network: OneLayer, config: Config) -> Callable[[], Tensor]:
    """The mean over all prompts, as if the batch were endless. One head only."""
    return lambda: mean_loss(
        network.w_V[:, 0], network.W_KQ[:, 0], config.width, config.n
    )


# --8<-- [end:losses]


# --8<-- [start:train]
def train(
    network: OneLayer,
    loss_of: Callable[[], Tensor],
    config: Config,
    ticks: Callable,
    n_steps: int,
) -> np.ndarray:
    """Train all at once; returns their losses, means over `record_every` steps, as
    (record, run)."""
    weights = [p for p in network.parameters() if p.requires_grad]
    adam = torch.optim.Adam(
        weights, config.learning_rate, betas=(0.9, 0.98), fused=True
    )
    losses = []
    for _ in ticks(n_steps):
        loss = loss_of()  # (run,)
        adam.zero_grad()
        loss.sum().backward()  # a sum: no network sees another's loss
        adam.step()
        losses.append(loss.detach())
    recorded = torch.stack(losses).unfold(0, config.record_every, config.record_every)
    return recorded.mean(-1).numpy()


# --8<-- [end:train]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    levels = [least_loss(config.width, config.n, config.d, r) for r in (0, 1, 2, None)]
    limit = STUCK * levels[-1]
    measured: dict[str, np.ndarray | int] = {"levels": np.array(levels)}
    for index, way in enumerate(WAYS):
        weights, data, held_out, more = streams(seed, 4)  # anew: equal for each way
        network = build(way, config, weights)
        part = parts(index)
        curves = train(
            network, noisy_loss(network, config, data), config, part, config.n_steps
        )
        ends = look(network, draw(config, config.n_test, held_out))
        name = way.replace(" ", "_")
        # half precision: curves are for the figure, and 4 digits are enough
        measured[f"{name}_curves"] = curves.astype(np.float16)
        measured |= {f"{name}_{key}": value for key, value in ends.items()}
        if way == "one head":
            measured |= go_on(network, ends["loss"] > limit, limit, config, more)

    # The same first weights again, and this time no batch is drawn.
    network = build("one head", config, streams(seed, 1)[0])
    curves = train(
        network, noiseless_loss(network, config), config, parts(5), config.n_mean_steps
    )
    measured["noiseless_curves"] = curves.astype(np.float16)
    measured["directions"] = directions_needed(config.width, config.n, config.d) or 0
    return measured


def go_on(
    network: OneLayer, stuck: np.ndarray, limit: float, config: Config, data: Generator
) -> dict[str, np.ndarray]:
    """The stuck layers go on twice from the same weights, each time with a fresh Adam:
    on batches, and on the mean over all prompts. How many of all are still stuck?"""
    n_more = {"more": config.n_more_steps, "freed": config.n_mean_steps}
    if not stuck.any():
        return {
            name: np.zeros(n // config.record_every, int) for name, n in n_more.items()
        }
    first, second = only(network, stuck), only(network, stuck)
    losses = (noisy_loss(first, config, data), noiseless_loss(second, config))
    found = {}
    for index, (name, n) in enumerate(n_more.items()):
        curves = train(
            (first, second)[index], losses[index], config, parts(3 + index), n
        )
        found[name] = (curves > limit).sum(1)
    return found


# --8<-- [end:run]


def parts(index: int) -> Callable:
    """Count the steps of one of six loops."""
    return lambda n: steps(n, loop=index, of=6)


@torch.no_grad()
def look(network: OneLayer, test: Prompts) -> dict[str, np.ndarray]:
    """Of each layer: its loss; that against no map, on the same prompts, which spares
    their sampling error; and how much of v reads x, 0 in the constructed layer."""
    loss = loss_on(network, test).numpy()
    v_squared = network.w_V.square()  # (run, head, d + 1)
    mirrored = v_squared[..., :-1].sum((1, 2)) / v_squared.sum((1, 2))
    at_zero = (test.answer.square().mean() / 2).item()
    return {"loss": loss, "share": loss / at_zero, "mirrored": mirrored.numpy()}


# --8<-- [start:derived]
def stuck(m: Measurements, way: str) -> np.ndarray:
    """Which layers end far above the optimum."""
    return m[f"{way}_loss"] > STUCK * m["levels"][-1]


def some_stuck(m: Measurements) -> bool:
    """At least five with one head: enough to speak of their median or share."""
    return bool(stuck(m, "one_head").sum() >= 5)


def in_100(m: Measurements, way: str) -> float:
    return 100 * float(stuck(m, way).mean())


def of_the_stuck(m: Measurements, name: str) -> float:
    """The median of a measure over the stuck layers with one head."""
    return float(np.median(m[f"one_head_{name}"][stuck(m, "one_head")]))


def level_off(m: Measurements) -> float:
    """A stuck layer's loss over that of the best map of rank 1."""
    return of_the_stuck(m, "share") / float(m["levels"][1] / m["levels"][0])


def still(m: Measurements, name: str) -> float:
    """Of the layers that were stuck, how many are at the end of going on."""
    return float(m[name][-1] / stuck(m, "one_head").sum())


def noiseless_in_100(m: Measurements) -> float:
    return 100 * float((m["noiseless_curves"][-1] > STUCK * m["levels"][-1]).mean())


# --8<-- [end:derived]


# fmt: off
CLAIMS = [
    Claim("stuck", lambda m: in_100(m, "one_head"), above(5), "in 100",
          "With one head more than 5 in 100 first draws are still on the plateau at step 800.",
          Reported("vonoswald2023", "appendix A.11", "plateaus whose length depends on the seed", SMALLER)),
    Claim("mirrored", lambda m: of_the_stuck(m, "mirrored"), above(0.9), "of |v|²",
          "Of the value vector v of a stuck layer, more than nine tenths read x (the median of them).",
          digits=3, applies=some_stuck),
    Claim("level", level_off, between(0.97, 1.03), "of the level",
          "The loss of a stuck layer (the median) is within 3 percent of that of a map of rank 1.",
          digits=3, applies=some_stuck),
    Claim("stay", lambda m: still(m, "more"), above(0.25), "of the stuck",
          "With batches of 256, more than a quarter of the stuck layers are still stuck 1,600 steps later.",
          applies=some_stuck),
    Claim("leave", lambda m: still(m, "freed"), below(0.05), "of the stuck",
          "Going on with the mean over all prompts in place of a batch, nearly all leave within 600 steps.",
          applies=some_stuck),
    Claim("no-noise", noiseless_in_100, below(5), "in 100",
          "Trained on the mean over all prompts from the start, fewer than 5 in 100 are stuck at step 600."),
    Claim("two-heads", lambda m: in_100(m, "two_heads") / in_100(m, "one_head"), below(0.8), "of the share",
          "With two heads the share that is stuck is less than four fifths of that with one.",
          Reported("vonoswald2023", "appendix A.11", "two heads cure the plateaus", SMALLER), applies=some_stuck),
    Claim("one-matrix", lambda m: in_100(m, "one_matrix"), below(5), "in 100",
          "With one matrix in place of K'Q fewer than 5 in 100 are stuck."),
]
# fmt: on
