"""Does a network learn to use its context little by little, or all at once?

Source: reddy2024, figures 1, 3 and 4. Here: items of 32 dimensions instead of 63, no
random shift of positions (17 slots instead of 65), SGD at 0.3 for 2,500 steps instead
of 0.01. The `paper` preset keeps the source's own numbers.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    at_most,
    below,
    between,
)
from snippets.icl.networks.two_layer import TwoLayerNetwork
from snippets.icl.tasks.item_label import Batch, Task, World
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    task: Task = field(default_factory=Task)
    width: int = 128  # of the classifier's hidden layers
    learning_rate: float = 0.3
    shrink: float = 1e-6  # share of itself that a weight loses at every step
    batch: int = 128
    n_steps: int = 2500
    evaluate_every: int = 25
    n_test: int = 512  # sequences in each test set


PRESETS = {
    "laptop": Config(),
    "paper": Config(
        Task(d_item=63, n_slots=65),
        learning_rate=0.01,
        n_steps=200_000,
        evaluate_every=1000,
    ),
}


# --8<-- [start:measures]
def label_to_item(first: Float[Tensor, "batch token token"]) -> float:
    """First layer: how much a label attends to its item, which stands before it."""
    labels = torch.arange(1, first.shape[1], 2)
    return first[:, labels, labels - 1].mean().item()


def target_to_label(second: Float[Tensor, "batch token"], batch: Batch) -> float:
    """Second layer: how much the target attends to the label that is the answer."""
    return (second[:, 1::2] * batch.answer_shown).sum(1).mean().item()


def names_a_shown_label(guess: Tensor, batch: Batch) -> float:
    """How often the guess is one of the labels in the context, right or wrong."""
    return (guess[:, None] == batch.context_labels).any(1).float().mean().item()


def where_the_target_looks(
    second: Float[Tensor, "batch token"], batch: Batch
) -> list[float]:
    """Second layer: attention to the answer's label and item, to the other labels and
    items, and to the target itself."""
    items, labels, itself = second[:, :-1:2], second[:, 1::2], second[:, -1]
    shown, others = batch.answer_shown, 1 - batch.answer_shown
    parts = [
        (labels * shown).sum(1),
        (items * shown).sum(1),
        (labels * others).sum(1),
        (items * others).sum(1),
        itself,
    ]
    return [part.mean().item() for part in parts]


# --8<-- [end:measures]


def accuracy(
    network: TwoLayerNetwork,
    batch: Batch,
    blocked: Bool[Tensor, "token token"] | None = None,
) -> float:
    logits, _, _ = network(batch.tokens, blocked)
    return (logits.argmax(-1) == batch.answer).float().mean().item()


def evaluate(
    network: TwoLayerNetwork, tests: dict[str, Batch]
) -> dict[str, float | list | Tensor]:
    """Every measure at one step; all but two accuracies on classes never seen."""
    novel = tests["novel"]
    logits, first, second = network(novel.tokens)
    return {
        "loss": F.cross_entropy(logits, novel.answer).item(),
        "logit_spread": logits.std(0).mean().item(),  # 0: the input does not matter
        "label_in_context": names_a_shown_label(logits.argmax(-1), novel),
        "label_to_item": label_to_item(first),
        "target_to_label": target_to_label(second, novel),
        "target_looks": where_the_target_looks(second, novel),
        "first_layer": first.mean(0),
        **{f"accuracy_{name}": accuracy(network, test) for name, test in tests.items()},
    }


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    generator = torch.Generator().manual_seed(seed)
    task = config.task
    world = World(task, generator)
    network = TwoLayerNetwork(
        task.d_model, task.d_item, task.n_labels, config.width, generator
    )
    last_bias = network.b_hidden[-1].item()  # one number for all units of that layer
    tests = {
        "novel": world.novel(config.n_test),
        "known": world.known(config.n_test),
        "rotated": world.rotated(config.n_test),
        "from_memory": world.from_memory(config.n_test),
    }

    lr = config.learning_rate
    optimizer = torch.optim.SGD(
        network.parameters(), lr, weight_decay=config.shrink / lr
    )

    history = []
    for step in steps(config.n_steps + 1):
        if step % config.evaluate_every == 0:
            with torch.no_grad():
                history.append({"step": step, **evaluate(network, tests)})
        batch = world.train(config.batch)  # fresh at every step: nothing to overfit
        logits, _, _ = network(batch.tokens)
        loss = F.cross_entropy(logits, batch.answer)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    edges = label_to_item_edges(task.n_tokens)
    with torch.no_grad():
        accuracy_cut = accuracy(network, tests["novel"], blocked=edges)
    return {
        **{
            name: np.stack([np.asarray(h[name]) for h in history])
            for name in history[0]
        },
        "accuracy_cut": accuracy_cut,
        "last_bias": last_bias,
        "n_parameters": sum(p.numel() for p in network.parameters()),
    }


def label_to_item_edges(n_tokens: int) -> Bool[Tensor, "token token"]:
    """The edges from each label to the item before it: those that layer 1 grows."""
    edges = torch.zeros(n_tokens, n_tokens, dtype=torch.bool)
    labels = torch.arange(1, n_tokens, 2)
    edges[labels, labels - 1] = True
    return edges


# --8<-- [end:run]


def first_step(m: Measurements, name: str, threshold: float) -> float:
    """The first measured step with a curve at or over a threshold, or infinity."""
    over = m["step"][m[name] >= threshold]
    return float(over[0]) if len(over) else np.inf


def onset(m: Measurements) -> float:
    """Where the jump begins: accuracy reaches twice that of guessing a shown label."""
    return first_step(m, "accuracy_novel", 0.25)


def arrival(m: Measurements) -> float:
    return first_step(m, "accuracy_novel", 0.9)


def rise(m: Measurements) -> float:
    """How long the jump takes, as a share of the time before it, or infinity."""
    return (arrival(m) - onset(m)) / onset(m) if np.isfinite(arrival(m)) else np.inf


def before_the_jump(m: Measurements, name: str) -> float:
    """Mean of a curve over the last fifth of the time to the onset, or of the run."""
    end = min(onset(m), m["step"][-1])
    late = (m["step"] < end) & (m["step"] >= 0.8 * end)
    return float(m[name][late].mean() if late.any() else m[name][0])


def half_way(m: Measurements, name: str) -> float:
    """The step at which a curve is half way from where it started to where it ended."""
    return first_step(m, name, (m[name][0] + m[name][-1]) / 2)


def half_way_spread(m: Measurements) -> float:
    """Steps from the first to the last of three curves to be half way, or infinity."""
    curves = ("accuracy_novel", "label_to_item", "target_to_label")
    there = [half_way(m, name) for name in curves]
    return max(there) - min(there) if np.isfinite(arrival(m)) else np.inf


def at_the_end(m: Measurements, name: str) -> float:
    return float(m[name][-5:].mean())


# fmt: off
CLAIMS = [
    Claim("sharp", rise, below(0.2), "of the time before",
          "Accuracy on new classes climbs from a quarter to nine tenths in less than a fifth of the time "
          "before.",
          Reported("reddy2024", "figure 3a", "a slow phase, then an abrupt jump", SMALLER)),
    Claim("onset", onset, between(500, 2200), "steps",
          "The jump begins after step 500 and before step 2,200.",
          digits=4),
    Claim("slow", lambda m: before_the_jump(m, "label_in_context"), above(0.7), "of guesses",
          "Before the jump more than seven guesses in ten name a label of the context.",
          Reported("reddy2024", "figure 4", "the guess falls among the context's labels before it is right", SMALLER)),
    Claim("guessing", lambda m: before_the_jump(m, "accuracy_novel"), between(0.09, 0.19), "",
          "Before the jump accuracy is near one in N, 0.125: any shown label, at random."),
    Claim("together", half_way_spread, at_most(100), "steps",
          "Accuracy and the two attention patterns reach their half-way points within 100 steps of each "
          "other.",
          Reported("reddy2024", "figures 3b and 4", "both attention patterns appear with the jump", SMALLER)),
    Claim("new-classes", lambda m: at_the_end(m, "accuracy_novel"), above(0.95), "",
          "At the end it labels more than 95 in 100 items of classes that it never saw in training.",
          Reported("reddy2024", "figure 3a", "near-perfect accuracy on novel classes", SMALLER),
          digits=3),
    Claim("rotated", lambda m: at_the_end(m, "accuracy_rotated"), above(0.95), "",
          "Where the context contradicts the labels of training, it follows the context in more than 95 of "
          "100 cases.",
          Reported("reddy2024", "figure 1d", "swapped labels in the context are followed", SMALLER),
          digits=3),
    Claim("memory", lambda m: at_the_end(m, "accuracy_from_memory"), below(0.15), "",
          "From memory alone it answers fewer than 15 in 100 correctly."),
    Claim("cut", lambda m: float(m["accuracy_cut"]), below(0.15), "",
          "Without the first layer's label-to-item attention the trained network is no better than guessing "
          "a shown label."),
    Claim("silent", lambda m: (0.0 if np.isfinite(arrival(m)) else at_the_end(m, "logit_spread")),
          below(0.01), "nats of spread",
          "A seed that does not jump has fallen silent: its output no longer depends on its input."),
]
# fmt: on
