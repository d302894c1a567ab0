"""What the best reader and the best memoriser could answer, where items vary.

Both are exact for the task of `item_label_data`: a class mean mu is drawn from N(0, I/D),
an item is (mu + eps eta) / sqrt(1 + eps^2) with eta from N(0, I/D).

The reader knows no class. Two items of one class have correlation rho = 1 / (1 + eps^2);
items of two classes have none. So the target x, given the item y of its own class, is
N(rho y, (1 - rho^2) I/D): the most probable class is the nearest rho y. (For B = 1.)

The memoriser knows every mean and frequency, and no context: p(k | x) is p(k) times the
density of N(mu_k / s, (eps / s)^2 I/D) at x, s = sqrt(1 + eps^2).

Source: our derivation; normal laws throughout.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from snippets.icl.tasks.item_label import Batch
from snippets.icl.tasks.item_label_data import World


# --8<-- [start:oracles]
def read(
    items: Float[Tensor, "batch pair d_item"],
    target: Float[Tensor, "batch d_item"],
    noise: float,
) -> Int[Tensor, "batch"]:
    """The pair whose item is most probably of the target's class, if each is of a class
    of its own and nothing is known of the classes."""
    rho = 1 / (1 + noise**2)
    return (target[:, None] - rho * items).square().sum(-1).argmin(1)


def remember(
    target: Float[Tensor, "batch d_item"],
    means: Float[Tensor, "class d_item"],
    p: Float[Tensor, "class"],
    noise: float,
    n_labels: int,
) -> Int[Tensor, "batch"]:
    """The most probable label for one who knows all classes and no context."""
    spread = max(noise, 1e-3)  # without noise the nearest mean: its limit
    scale = (1 + noise**2) ** 0.5
    apart = torch.cdist(target * scale, means).square()  # (batch, class)
    log_p = p.log() - apart * means.shape[1] / (2 * spread**2)
    by_label = log_p.view(len(target), -1, n_labels)  # class k has the label k mod L
    return by_label.logsumexp(1).argmax(1)


# --8<-- [end:oracles]


def items_of(batch: Batch, world: World) -> Float[Tensor, "batch item d_item"]:
    """The items of a batch, the target last, without their positions."""
    return batch.tokens[:, 0::2, world.data.n_tokens :]


def best_reader(world: World, novel: Batch) -> float:
    """Accuracy of `read` on sequences of new classes, each shown once."""
    items = items_of(novel, world)
    pair = read(items[:, :-1], items[:, -1], world.data.noise)
    label = novel.context_labels.gather(1, pair[:, None])[:, 0]
    return float((label == novel.answer).float().mean())


def best_memory(world: World, absent: Batch) -> float:
    """Accuracy of `remember` on targets whose class is not in the context."""
    target = items_of(absent, world)[:, -1]
    d = world.data
    label = remember(target, world.means, world.p, d.noise, d.n_labels)
    return float((label == absent.answer).float().mean())
