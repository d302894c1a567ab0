"""Vectors that stand for a task: read out of a network that was shown examples, and put
into it where none were.

Task vectors replace the last token's state after some layer (hendel2023, abstract).
Function vectors are added to it: what heads write there on average (todd2024, abstract).
Here from a head's mean its mean without examples is taken away, for a prompt without
examples has written that already.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from snippets.icl.networks.open_transformer import HeadChange, OpenTransformer
from snippets.icl.shapes import Heads, Labels
from snippets.icl.tasks.clock import Prompt


class TaskMeans(NamedTuple):
    state: Float[Tensor, "task n_states d_model"]  # at the last token
    read: list[Float[Tensor, "task head d_head"]]  # for each layer: read there
    gained: Float[Tensor, "task layer head d_model"]  # written there, by the examples


# --8<-- [start:means]
@torch.no_grad()
def task_means(
    network: OpenTransformer,
    tokens: Prompt,
    task: Labels,
    without: Int[Tensor, "others short"],
) -> TaskMeans:
    """Means over each task's prompts, at the last token. `without`: prompts that show
    no example. Raises ValueError for a task without prompts."""
    n_tasks = int(task.max()) + 1 if len(task) else 0
    if n_tasks == 0 or (F.one_hot(task).sum(0) == 0).any():
        raise ValueError("a pool of tasks with no prompt for one: give each a prompt")
    seen, bare = network(tokens), network(without)

    def mean(x: Tensor) -> Tensor:
        return torch.stack([x[task == k].mean(0) for k in range(n_tasks)])

    state = torch.stack([mean(x[:, -1]) for x in seen.states], 1)
    read = [mean(x[:, :, -1]) for x in seen.heads]
    gained = [
        network.written(layer, with_examples - none[:, :, -1].mean(0))
        for layer, (with_examples, none) in enumerate(zip(read, bare.heads))
    ]
    return TaskMeans(state, read, torch.stack(gained, 1))


# --8<-- [end:means]


# --8<-- [start:effects]
@torch.no_grad()
def indirect_effects(
    network: OpenTransformer,
    means: TaskMeans,
    shuffled: Prompt,
    task: Labels,
    answer: Labels,
) -> Float[Tensor, "layer head"]:
    """What a single head restores: in prompts whose answers are shuffled it reads, at
    the last token, the mean of the prompt's task. How much does the right answer's
    probability rise?"""

    def right(change: HeadChange | None = None) -> float:
        chance = network(shuffled, at_heads=change).logits[:, -1].softmax(-1)
        return chance.gather(1, answer[:, None]).mean().item()

    nothing, n_layers = right(), len(means.read)
    effects = torch.zeros(n_layers, network.n_heads)
    for layer in range(n_layers):
        for head in range(network.n_heads):
            given = means.read[layer][task, head]
            effects[layer, head] = right(one_reads(layer, head, given)) - nothing
    return effects


def one_reads(
    layer: int, head: int, given: Float[Tensor, "batch d_head"]
) -> HeadChange:
    """At the last token one head reads what is given."""

    def change(at: int, read: Heads) -> Heads:
        if at == layer:
            read = read.clone()
            read[:, head, -1] = given
        return read

    return change


# --8<-- [end:effects]


# --8<-- [start:induction]
@torch.no_grad()
def matches(network: OpenTransformer, tokens: Prompt) -> Float[Tensor, "layer head"]:
    """How much the last arrow attends to the answers that followed the query's hour
    before: what an induction head would do."""
    is_match = torch.zeros_like(tokens, dtype=torch.bool)
    is_match[:, 2:-2] = tokens[:, :-4] == tokens[:, -2:-1]  # two tokens after the hour
    is_match[:, 0::3] = is_match[:, 1::3] = False  # only answers
    found = [
        (pattern[:, :, -1] * is_match[:, None]).sum(-1).mean(0)
        for pattern in network(tokens).patterns
    ]
    return torch.stack(found)


# --8<-- [end:induction]


def decodability(
    state: Float[Tensor, "prompt d_model"], task: Labels, k: int = 10
) -> float:
    """How often most of a state's k nearest neighbours are of its own task."""
    if not 0 < k < len(state):
        raise ValueError(f"k = {k} neighbours of {len(state)} states: give fewer")
    apart = torch.cdist(state, state).fill_diagonal_(torch.inf)
    votes = F.one_hot(task[apart.topk(k, largest=False).indices]).sum(1)
    return (votes.argmax(1) == task).float().mean().item()
