"""Train a two-layer network on several label maps, and watch where it looks.

Where the query looks, in layer 1 and in layer 2, tells which circuit is at work; the
accuracy on sequences whose labels have moved tells whether items and labels are joined.

Source: minegishi2025, for the attention measures and the twin.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from snippets.icl.networks.two_layer_heads import TwoLayerHeads
from snippets.icl.shapes import Labels, Logits
from snippets.icl.streams import streams
from snippets.icl.tasks.label_maps import (
    Batch,
    Task,
    World,
    answer_odds,
    from_bags,
    from_labels,
    from_pairs,
    from_query,
    induction_head,
)
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    task: Task = field(default_factory=Task)
    n_heads: int = 1
    first_scale: float = 0.7  # of the first layer's W_Q and W_K at the start
    learning_rate: float = 0.1
    momentum: float = 0.8
    batch: int = 64
    n_steps: int = 12_000  # at most
    evaluate_every: int = 100
    mastered: float = 0.97  # accuracy that ends a run, in five evaluations in a row
    n_test: int = 1024  # sequences tested at each evaluation
    n_last: int = 4096  # sequences tested at the end
    draw_ahead: int = 32  # batches drawn at once, which is faster


# --8<-- [start:attention]
def where_the_query_looks(
    first: Float[Tensor, "head batch token token"],
    second: Float[Tensor, "head batch token"],
) -> dict[str, np.ndarray]:
    """For each head: bigram, the query's attention to itself; label, to all labels
    together; and in the first layer chunk, each label's attention to its own item."""
    # --8<-- [start:parts]
    labels = torch.arange(1, first.shape[-1], 2)
    query = first[:, :, -1]  # (head, batch, token)
    parts = {
        "bigram_1": query[..., -1],
        "label_1": query[..., labels].sum(-1),
        "chunk": first[:, :, labels, labels - 1].mean(-1),
        "bigram_2": second[..., -1],
        "label_2": second[..., labels].sum(-1),
    }
    # --8<-- [end:parts]
    return {name: part.mean(1).numpy() for name, part in parts.items()}


# --8<-- [end:attention]


def right(odds: Logits, answer: Labels) -> Float[Tensor, "*batch"]:
    return (odds.argmax(1) == answer).float()


def evaluate(network: TwoLayerHeads, test: Batch) -> dict[str, np.ndarray | float]:
    logits, first, second = network(test.tokens)
    moved, _, _ = network(test.moved)
    return {
        "accuracy": right(logits, test.answer).mean().item(),
        "accuracy_moved": right(moved, test.answer).mean().item(),  # RLA
        **where_the_query_looks(first, second),
    }


def ceilings(world: World, batch: Batch) -> dict[str, float]:
    """The best accuracy from the query alone, with the labels, with items and labels in
    two bags, and with the pairs."""
    known = {
        "query": from_query,
        "labels": from_labels,
        "bags": from_bags,
        "pairs": from_pairs,
    }
    return {
        f"ceiling_{name}": answer_odds(world, batch, posterior(world, batch))
        .amax(1)
        .mean()
        .item()
        for name, posterior in known.items()
    }


def by_query(network: TwoLayerHeads, world: World, batch: Batch) -> dict[str, float]:
    """The trained network and a hand-made induction head, where the query's class
    stands in the context and where it does not."""
    network_right = right(network(batch.tokens)[0], batch.answer)
    copy_right = right(induction_head(world, batch), batch.answer)
    return {
        "share_shown": batch.shown.float().mean().item(),
        "network_shown": network_right[batch.shown].mean().item(),
        "network_absent": network_right[~batch.shown].mean().item(),
        "induction": copy_right.mean().item(),
        "induction_shown": copy_right[batch.shown].mean().item(),
        "induction_absent": copy_right[~batch.shown].mean().item(),
    }


# --8<-- [start:train]
def train(config: Config, seed: int) -> dict[str, Any]:
    """Every measure at every evaluation, and what the trained network can do."""
    weights, maps, training, tests = streams(seed, 4)
    task, fixed = config.task, World(config.task, maps)
    world, examiner = fixed.drawing_from(training), fixed.drawing_from(tests)
    network = TwoLayerHeads(
        task.d_model, task.n_labels, config.n_heads, config.first_scale, weights
    )
    test = examiner.draw(config.n_test, moved=True)
    optimizer = torch.optim.SGD(  # fused: all weights in one call
        network.parameters(), config.learning_rate, config.momentum, fused=True
    )

    history = []
    for step in steps(config.n_steps + 1):
        if step % config.evaluate_every == 0:
            with torch.no_grad():
                history.append({"step": step, **evaluate(network, test)})
            if min(h["accuracy"] for h in history[-5:]) >= config.mastered:
                break  # nothing is left to learn
        turn = step % config.draw_ahead
        if turn == 0:  # fresh sequences, several batches at once
            ahead = world.draw(config.draw_ahead * config.batch)
        now = slice(turn * config.batch, (turn + 1) * config.batch)
        logits, _, _ = network(ahead.tokens[now])
        loss = F.cross_entropy(logits, ahead.answer[now])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    last = examiner.draw(config.n_last)
    with torch.no_grad():
        at_the_end = ceilings(fixed, last) | by_query(network, fixed, last)
    return {
        **{name: np.stack([h[name] for h in history]) for name in history[0]},
        **at_the_end,
        "n_parameters": sum(p.numel() for p in network.parameters()),
    }


# --8<-- [end:train]


def first_step(m: Mapping[str, Any], curve: np.ndarray, threshold: float) -> float:
    """The first measured step with a curve at or over a threshold, or infinity."""
    over = m["step"][curve >= threshold]
    return float(over[0]) if len(over) else np.inf


def longest_rest(m: Mapping[str, Any], band: float = 0.05) -> tuple[float, float]:
    """The longest stretch in which accuracy stays within a band, after a quarter and
    before nine tenths is reached: its length in steps and where it begins."""
    end = first_step(m, m["accuracy"], 0.9)
    inside = (m["step"] >= first_step(m, m["accuracy"], 0.25)) & (m["step"] < end)
    step, accuracy = m["step"][inside], m["accuracy"][inside]
    best = (0.0, np.inf)
    for i in range(len(step)):
        low = np.minimum.accumulate(accuracy[i:])
        high = np.maximum.accumulate(accuracy[i:])
        last = i + int((high - low <= band).sum()) - 1  # high - low only grows
        best = max(best, (float(step[last] - step[i]), float(step[i])))
    return best
