"""What holds a general-purpose learner back at the start of training, and what helps?

Source: kirsch2022, section 4.3. Here: the task and network
of this chapter at laptop size, trained on new tasks always. A plateau has ended when
the loss on new tasks is 0.15 nats below that of an even guess.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.contract import (
    NOT_REPRODUCED,
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    at_least,
    at_most,
    below,
    between,
)
from snippets.icl.networks.context_classifier import ContextClassifier, Shape
from snippets.icl.streams import streams
from snippets.icl.tasks.projected_tasks import (
    Batch,
    DataSet,
    Tasks,
    digits,
    new_tasks,
    sequences,
)
from snippets.progress import steps


# --8<-- [start:recipes]
@dataclass(frozen=True)
class Recipe:
    """How one network is trained."""

    batch: int = 32
    eps: float = 1e-8  # of Adam
    bias: float = 0.0  # share of each batch with one fixed naming of the classes
    start_steps: int = 40  # of an easier start, where there is one
    start_classes: int = 0  # begin with sequences of so many classes; 0: all
    start_tasks: int = 0  # begin with a pool of so many tasks; 0: new ones
    shape: Shape = field(default_factory=Shape)


APART = Shape(paired=False, n_positions=24)  # a token: the input, the label before it

RECIPES = {
    "batch 8": Recipe(batch=8),
    "batch 16": Recipe(batch=16),
    "batch 32": Recipe(),
    "batch 64": Recipe(batch=64),
    "batch 8, two classes first": Recipe(batch=8, start_classes=2),
    "two classes first": Recipe(start_classes=2),
    "four tasks first": Recipe(start_tasks=4),
    "half biased": Recipe(bias=0.5),
    "epsilon 1e-12": Recipe(eps=1e-12),
    "epsilon 1e-3": Recipe(eps=1e-3),
    "label apart": Recipe(shape=APART),
    "label apart, two classes first": Recipe(
        shape=APART, start_classes=2, start_steps=150
    ),
}

# --8<-- [end:recipes]


@dataclass(frozen=True)
class Config:
    classes: tuple[int, ...] = (0, 1, 2, 3, 4)
    n_labels: int = 5
    n_dims: int = 16
    length: int = 24
    learning_rate: float = 3e-3
    warm_up: int = 50
    n_steps: int = 500  # after which we stop waiting
    evaluate_every: int = 10
    n_test: int = 64
    drop: float = 0.15  # nats below an even guess: the plateau has ended
    recipes: dict[str, Recipe] = field(default_factory=lambda: RECIPES)


PRESETS = {"laptop": Config()}


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    split = streams(seed, 1)[0]
    data = digits(config.classes, (), split)
    curves = []
    for number, recipe in enumerate(config.recipes.values()):
        loop = {"loop": number, "of": len(config.recipes)}
        curves.append(train(config, recipe, data, streams(seed, 4)[1:], **loop))
    return {
        "step": np.arange(0, config.n_steps + 1, config.evaluate_every),
        "loss": np.stack(curves),  # (recipe, step); infinity once the plateau has ended
        "end": np.log(config.n_labels) - config.drop,
        "recipe": np.array([list(RECIPES).index(name) for name in config.recipes]),
    }


def train(
    config: Config,
    recipe: Recipe,
    data: dict[str, DataSet],
    apart: list[Generator],  # each recipe starts alike
    **loop,
) -> np.ndarray:
    """The loss on new tasks every few steps, until it has left the plateau."""
    weights, generator, tests = apart
    n_dims, n_labels = config.n_dims, config.n_labels
    tasks = new_tasks(config.n_test, data["held out"], n_dims, n_labels, tests)
    test = sequences(data["held out"], tasks, config.length, tests)
    fixed = torch.randperm(n_labels, generator=tests)[: len(config.classes)]
    network = ContextClassifier(n_dims, n_labels, recipe.shape, weights)
    optimizer = torch.optim.Adam(
        network.parameters(), config.learning_rate, eps=recipe.eps, fused=True
    )
    easy, pool = easier_start(recipe, config, data["train"], generator)
    curve = np.full(config.n_steps // config.evaluate_every + 1, np.inf)
    for step in steps(config.n_steps + 1, **loop):
        if step % config.evaluate_every == 0:
            with torch.no_grad():
                now = loss_on(network, test).item()
            curve[step // config.evaluate_every] = now
            if now < np.log(n_labels) - config.drop:
                break
        start = step < recipe.start_steps
        source = easy if start else data["train"]
        if start and pool is not None:
            tasks = pool.pick(recipe.batch, generator)
        else:
            tasks = new_tasks(recipe.batch, source, n_dims, n_labels, generator)
        tasks.rho[: int(recipe.bias * recipe.batch)] = fixed[: source.n_classes]
        examples = sequences(source, tasks, config.length, generator)
        up = min(1, (step + 1) / config.warm_up)
        optimizer.param_groups[0]["lr"] = config.learning_rate * up
        descend(optimizer, network, loss_on(network, examples))
    return curve


def loss_on(network: ContextClassifier, batch: Batch) -> Float[Tensor, ""]:
    logits = network(batch.x, batch.label)
    return F.cross_entropy(logits.flatten(0, 1), batch.label.flatten())


def descend(
    optimizer: torch.optim.Optimizer, network: nn.Module, loss: Float[Tensor, ""]
) -> None:
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()


# --8<-- [end:run]


# --8<-- [start:start]
def easier_start(
    recipe: Recipe, config: Config, data: DataSet, generator: Generator
) -> tuple[DataSet, Tasks | None]:
    """What the first steps train on: the data, or some of its classes; and a small pool
    of tasks, or None for new ones."""
    if recipe.start_classes:
        data = data.first(recipe.start_classes)
    if not recipe.start_tasks:
        return data, None
    pool = new_tasks(
        recipe.start_tasks, data, config.n_dims, config.n_labels, generator
    )
    return data, pool


# --8<-- [end:start]


# --8<-- [start:derived]
def names(m: Measurements) -> list[str]:
    """The recipes that were run, in the order of their losses."""
    return [list(RECIPES)[i] for i in m["recipe"]]


def plateau(m: Measurements, name: str) -> float:
    """The step at which a recipe leaves the plateau, or infinity."""
    curve = m["loss"][names(m).index(name)]
    over = m["step"][curve < m["end"]]
    return float(over[0]) if len(over) else np.inf


def times_as_long(m: Measurements, slow: str, fast: str) -> float:
    """How many times longer one plateau is than another; 1 where neither ends."""
    a, b = plateau(m, slow), plateau(m, fast)
    return 1.0 if a == b else a / b


def share_at_most(m: Measurements, fast: str, slow: str) -> float:
    """The share that one plateau has of a slower one, from above: one that outlasts the
    run counts as the run.
    """
    return plateau(m, fast) / min(plateau(m, slow), float(m["step"][-1]))


# --8<-- [end:derived]

# fmt: off
CLAIMS = [
    Claim("plateau", lambda m: plateau(m, "batch 8"), above(100), "steps",
          "With batches of eight the plateau lasts for more than 100 steps.",
          digits=3),
    Claim("batch", lambda m: plateau(m, "batch 64"), at_most(150), "steps",
          "With batches of 64 the plateau lasts no longer than 150 steps.",
          digits=3),
    Claim("batch-ratio", lambda m: share_at_most(m, "batch 64", "batch 8"), below(0.667), "of the time",
          "With batches of 64 the plateau lasts less than two thirds as long as with eight, even if one that outlasts "
          "the run is counted as the run.",
          Reported("kirsch2022", "section 4.3", "the plateau shortens with the batch size, as a power law", SMALLER)),
    Claim("two-classes", lambda m: plateau(m, "batch 8, two classes first"), at_most(120), "steps",
          "After 40 steps with two classes the plateau ends by step 120, at batch 8.",
          digits=3),
    Claim("two-classes-ratio", lambda m: times_as_long(m, "batch 32", "two classes first"), above(1), "times",
          "With batches of 32 too a start on two classes makes the plateau shorter."),
    Claim("few-tasks", lambda m: times_as_long(m, "four tasks first", "batch 32"), at_least(1.3), "times",
          "After 40 steps on four tasks the plateau lasts at least 1.3 times as long."),
    Claim("bias", lambda m: times_as_long(m, "batch 32", "half biased"), between(0.5, 2), "",
          "One fixed naming for half of each batch makes the plateau neither twice as short nor twice as long.",
          Reported("kirsch2022", "section 4.3",
                   "one fixed naming for a part of each batch removes the plateau", NOT_REPRODUCED)),
    Claim("epsilon", lambda m: times_as_long(m, "batch 32", "epsilon 1e-12"), between(0.9, 1.1), "",
          "A smaller epsilon in Adam, 1e-12, changes the length of the plateau by less than a tenth.",
          Reported("kirsch2022", "section 4.3", "a smaller epsilon more than halves the plateau", NOT_REPRODUCED)),
    Claim("large-epsilon", lambda m: times_as_long(m, "epsilon 1e-3", "batch 32"), at_least(1.5), "times",
          "A large epsilon in Adam, 1e-3, makes the plateau at least 1.5 times as long."),
    Claim("label-apart", lambda m: plateau(m, "label apart"), above(500), "steps",
          "Where input and label come in different tokens the plateau lasts for 500 steps."),
    Claim("label-apart-cured", lambda m: plateau(m, "label apart, two classes first"), at_most(300), "steps",
          "In different tokens too the plateau ends by step 300, after 150 steps with two classes.",
          digits=3),
]
# fmt: on
