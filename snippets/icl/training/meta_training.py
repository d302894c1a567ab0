"""Meta-training: a classifier that reads labelled examples is trained on many tasks."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.context_classifier import ContextClassifier, Shape
from snippets.icl.tasks.projected_tasks import (
    Batch,
    DataSet,
    Tasks,
    new_tasks,
    sequences,
)
from snippets.progress import steps


@dataclass(frozen=True)
class Training:
    n_labels: int = 5
    n_dims: int = 16  # of a projected input
    length: int = 24  # examples in a sequence
    batch: int = 16
    learning_rate: float = 3e-3
    warm_up: int = 50
    n_steps: int = 500
    start_steps: int = 40  # an easier start: so many steps with two classes only


# --8<-- [start:train]
def meta_train(
    shape: Shape,
    how: Training,
    data: DataSet,
    pool: Tasks | None,
    weights: Generator,
    training: Generator,
    window: int | None = None,
    **loop,
) -> ContextClassifier:
    """Train on sequences of tasks from a pool, or, without one, of new tasks always.

    With a window each token sees that many tokens only, in each layer. The first weights
    and the sequences are drawn from two streams.
    """
    network = ContextClassifier(how.n_dims, how.n_labels, shape, weights)
    optimizer = torch.optim.Adam(network.parameters(), how.learning_rate, fused=True)
    for step in steps(how.n_steps, **loop):
        source = data.first(2) if step < how.start_steps else data
        up = (step + 1) / how.warm_up
        down = (how.n_steps - step) / (0.3 * how.n_steps)  # the last 30 %
        optimizer.param_groups[0]["lr"] = how.learning_rate * min(1, up, down)
        if pool is None:
            tasks = new_tasks(how.batch, data, how.n_dims, how.n_labels, training)
        else:
            tasks = pool.pick(how.batch, training)
        examples = sequences(source, tasks, how.length, training)
        logits = network(examples.x, examples.label, window)  # one at every position
        loss = F.cross_entropy(logits.flatten(0, 1), examples.label.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    return network


@torch.no_grad()
def accuracy(
    network: ContextClassifier, batch: Batch, window: int | None = None
) -> Float[Tensor, "pos"]:
    """How often the most likely label is right, at each position."""
    guess = network(batch.x, batch.label, window).argmax(-1)
    return (guess == batch.label).float().mean(0)


# --8<-- [end:train]
