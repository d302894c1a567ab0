"""What a block read in its context, can a change of its weights say the same, and what
does that explain?

Source: dherin2025, abstract (a block with context implicitly updates the weights of its
MLP, with low rank); goldwaser2025, abstract (rank 1, and dependent on the token). Here:
one block on in-context linear regression, trained, and the same block as it was before
training.
"""

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
    equals,
)
from snippets.icl.networks.context_block import (
    ContextBlock,
    one_change_for_all,
    rank_one_change,
)
from snippets.icl.streams import streams
from snippets.icl.tasks.linear_regression import Prompts, draw_prompts
from snippets.icl.training.fresh_batches import train, trained


@dataclass(frozen=True)
class Config:
    d: int = 3
    n: int = 20  # examples, of which training reads a random number
    width: int = 32
    n_heads: int = 4
    d_mlp: int = 128
    batch: int = 128
    n_steps: int = 1500
    learning_rate: float = 3e-3
    n_test: int = 2000  # prompts
    n_contexts: int = 64  # of each of which many queries are asked
    n_fit: int = 64  # queries on which one change for all is fitted, and as many tests


PRESETS = {"laptop": Config()}


# --8<-- [start:train]
def build_and_train(
    config: Config, weights: Generator, data: Generator
) -> tuple[ContextBlock, ContextBlock]:
    """The block before and after training."""
    c = config
    before, block = (
        ContextBlock(c.d, c.width, c.n_heads, c.d_mlp, g) for g in twins(weights)
    )

    def batch_loss() -> Tensor:
        prompts = draw_prompts(c.batch, c.n, c.d, data)
        n_read = int(torch.randint(1, c.n, (1,), generator=data))
        both = torch.stack([block(prompts, n_read), block(prompts, c.n)])
        return (both - prompts.answer).square().mean()

    trained(block, train(block, batch_loss, c.n_steps, c.learning_rate, cool_down=0.5))
    return before.requires_grad_(False), block


def twins(generator: Generator) -> tuple[Generator, Generator]:
    """Two generators that will draw the same."""
    twin = Generator()
    twin.set_state(generator.get_state())
    return generator, twin


# --8<-- [end:train]


# --8<-- [start:exact]
def exactness(block: ContextBlock, prompts: Prompts) -> dict[str, float]:
    """The largest difference between the block with its context and the block without
    it and with W changed; and what share of the change is not of rank 1."""
    n = prompts.x.shape[1] - 1
    a, within = block.attended(prompts, 0), block.attended(prompts, n)
    change = rank_one_change(a, within, block.W)
    off = (block.mlp(a, change) - block(prompts, n)).abs().max()
    sizes = torch.linalg.svdvals(change)
    return {
        "off": off.item(),
        "second": (sizes[:, 1] / sizes[:, 0]).max().item(),
    }


# --8<-- [end:exact]


# --8<-- [start:sizes]
def by_examples(block: ContextBlock, prompts: Prompts) -> dict[str, np.ndarray]:
    """With 0 to n examples read: the loss, and how far the change of W moved when the
    last of them was read, as a share of W's length."""
    n = prompts.x.shape[1] - 1
    a = block.attended(prompts, 0)
    losses, moves, last = [], [], None
    for n_read in range(n + 1):
        within = block.attended(prompts, n_read)
        losses.append((block.mlp(within) - prompts.answer).square().mean().item())
        change = rank_one_change(a[:500], within[:500], block.W)
        if last is not None:
            moved = (change - last).flatten(1).norm(dim=1) / block.W.norm()
            moves.append(moved.median().item())
        last = change
    return {"loss": np.array(losses), "moved": np.array(moves)}


# --8<-- [end:sizes]


# --8<-- [start:queries]
def many_queries(config: Config, generator: Generator) -> Prompts:
    """`n_contexts` contexts, and 2 * n_fit queries for each: a prompt for every pair,
    context by context."""
    n_queries = 2 * config.n_fit
    contexts = draw_prompts(config.n_contexts, config.n, config.d, generator)
    x, y, w = (
        t.repeat_interleave(n_queries, 0) for t in (contexts.x, contexts.y, contexts.w)
    )
    x[:, -1] = torch.randn(len(x), config.d, generator=generator)
    y[:, -1] = (x[:, -1] * w).sum(-1)
    return Prompts(x, y, w)


def borrowed(block: ContextBlock, config: Config, generator: Generator) -> dict:
    """Losses of queries answered without their context and with W changed: by their own
    change, that of another query, and the best one for all queries of the context.
    Half of the queries fit that best one; the losses are the other half's."""
    asked = many_queries(config, generator)
    prompts = Prompts(asked.x.double(), asked.y.double(), asked.w.double())
    a, within = block.attended(prompts, 0), block.attended(prompts, config.n)
    shape = (config.n_contexts, 2 * config.n_fit)
    by_context = [t.view(*shape, *t.shape[1:]) for t in (a, within, prompts.answer)]
    fit, test = ([t[:, part] for t in by_context] for part in halves(config.n_fit))
    changes: dict[str, list[Tensor]] = {
        name: [] for name in ("none", "own", "other", "all")
    }
    for a_fit, within_fit, a_test, within_test in zip(*fit[:2], *test[:2]):
        one = one_change_for_all(a_fit, within_fit, block.W)
        own = rank_one_change(a_test, within_test, block.W)
        kinds = (0 * own, own, own.roll(1, 0), one.expand_as(own))
        for name, change in zip(changes, kinds):
            changes[name].append(block.mlp(a_test, change))
    return {
        f"loss_{name}": (torch.stack(answers) - test[2]).square().mean().item()
        for name, answers in changes.items()
    }


def halves(n: int) -> tuple[slice, slice]:
    return slice(0, n), slice(n, 2 * n)


# --8<-- [end:queries]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, exam, asking = streams(seed, 4)
    before, block = build_and_train(config, weights, data)
    test = draw_prompts(config.n_test, config.n, config.d, exam, dtype=torch.float64)
    nonsense = Prompts(test.x, test.y.roll(1, 0), test.w)  # y of another prompt
    before, block = before.double(), block.double()
    found: dict = {}
    with torch.no_grad():
        for name, one in (("trained", block), ("untrained", before)):
            measured: dict = exactness(one, test) | by_examples(one, test)
            found |= {f"{name}_{key}": value for key, value in measured.items()}
        found["nonsense_off"] = exactness(block, nonsense)["off"]
        found["nonsense_moved"] = by_examples(block, nonsense)["moved"]
        found |= borrowed(block, config, asking)
    return found


# --8<-- [end:run]


def decay(m: Measurements, name: str) -> float:
    """The exponent p in moved ~ 1 / n^p, from the 3rd to the last example."""
    moved = m[f"{name}_moved"][2:]
    return -float(np.polyfit(np.log(np.arange(3, 3 + len(moved))), np.log(moved), 1)[0])


def kept(m: Measurements, name: str) -> float:
    """Of what the context takes from the loss, the share that a change keeps."""
    return float(
        (m["loss_none"] - m[f"loss_{name}"]) / (m["loss_none"] - m["loss_own"])
    )


def left_share(m: Measurements, name: str) -> float:
    """The loss with all examples over that with none."""
    return float(m[f"{name}_loss"][-1] / m[f"{name}_loss"][0])


def exactest(m: Measurements) -> float:
    """The largest difference of the identity over three cases: the trained block, the
    same block untrained, and the trained one with another prompt's y."""
    return float(max(m["trained_off"], m["untrained_off"], m["nonsense_off"]))


# fmt: off
CLAIMS = [
    Claim("exact", exactest, equals(0, 1e-10), "",
          "The block with its context, and the block without it and with W changed, answer alike, in float64: trained, "
          "untrained, and with examples whose y are another prompt's.", exact=True),
    Claim("rank", lambda m: float(m["trained_second"]), equals(0, 1e-10), "of the first direction",
          "The change has one direction: its second singular value is 0.",
          Reported("goldwaser2025", "abstract", "a rank-1 patch to the MLP's weights", SMALLER), exact=True),
    Claim("learns", lambda m: left_share(m, "trained"), below(0.3), "of the loss",
          "With all examples the trained block leaves less than three tenths of what it leaves with none."),
    Claim("settles", lambda m: decay(m, "trained"), between(0.8, 1.25), "",
          "The change moves by about 1/n when the n-th example is read: the exponent is near 1."),
    Claim("settles-untrained", lambda m: decay(m, "untrained"), between(0.8, 1.3), "",
          "In the untrained block it settles in the same way."),
    Claim("settles-nonsense", lambda m: decay(m, "nonsense"), between(0.8, 1.25), "",
          "And so it does in the trained block on examples whose y are another prompt's."),
    Claim("untrained", lambda m: left_share(m, "trained") / left_share(m, "untrained"), below(0.5), "of its share",
          "Reading its examples, the trained block leaves less than half of the share of its loss that the untrained "
          "block leaves."),
    Claim("other", lambda m: kept(m, "other"), below(0.6), "of the gain",
          "Another query's change keeps less than three fifths of what the context gains."),
    Claim("all", lambda m: kept(m, "all"), above(0.9), "of the gain",
          "One change for all queries of a context keeps more than nine tenths of it.", digits=3),
]
# fmt: on
