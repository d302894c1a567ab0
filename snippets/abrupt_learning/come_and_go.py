"""Can in-context learning come, and go again, while training goes on and the loss falls?

Source: singh2023 and singh2025, abstracts; the fade, what comes after it, weight decay, and
the setting in which it stays. Much smaller: one attention head over pairs, points for items,
4 pairs instead of 2 or 8, 128 classes instead of thousands, SGD.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    at_least,
    at_most,
    below,
)
from snippets.icl.networks.one_look import OneLook
from snippets.icl.streams import streams
from snippets.icl.tasks.noisy_pairs import (
    KINDS,
    Prompts,
    Task,
    World,
    best_by_item,
    best_by_name,
)
from snippets.progress import steps

BLOCK = 25  # steps whose prompts are drawn at once


# --8<-- [start:config]
@dataclass(frozen=True)
class Config:
    task: Task = field(default_factory=Task)
    learning_rate: float = 2.0  # SGD, without momentum
    weight_decay: float = 0.0
    batch: int = 64
    n_steps: int = 6000
    n_test: int = 1000  # prompts of each kind
    n_looks: int = 60  # measurements, spaced evenly in the logarithm of the step


PRESETS = {
    "laptop": {
        "plain": Config(),
        "same": Config(Task(same_item=True)),
        "decay": Config(weight_decay=0.001),
    }
}
# --8<-- [end:config]


# --8<-- [start:look]
@torch.no_grad()
def look(network: OneLook, exams: dict[str, Prompts]) -> dict[str, float]:
    """The share of right answers on every kind of prompt; where the two ways disagree, the
    share that follows the context and the share that follows the usual name."""
    seen = {}
    for kind, exam in exams.items():
        logits = network(exam.items, exam.names, exam.query)
        seen[kind] = share(logits.argmax(1) == exam.answer)
        if kind == "swapped":
            seen["usual"] = share(logits.argmax(1) == exam.usual)
        if kind == "train":
            seen["loss"] = F.cross_entropy(logits, exam.answer).item()
    return seen


# --8<-- [end:look]


def share(right: torch.Tensor) -> float:
    return right.double().mean().item()


def moments(config: Config) -> set[int]:
    """The steps at which to look: 0, and then evenly in the logarithm."""
    spaced = np.geomspace(1, config.n_steps, config.n_looks).round().astype(int)
    return {0, *spaced.tolist()}


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    fixed, weights, data, exam = streams(seed, 4)  # no test prompt was trained on
    world = World(config.task, fixed)
    network = OneLook(config.task.d_item, config.task.n_classes, weights)
    optimizer = torch.optim.SGD(
        network.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    exams = {kind: world.draw(kind, config.n_test, exam) for kind in KINDS}
    history, when = [], moments(config)
    for step in steps(config.n_steps + 1):
        if step in when:
            history.append({"step": step, **look(network, exams)})
        if step % BLOCK == 0:
            block = world.draw("train", BLOCK * config.batch, data)
        part = slice(step % BLOCK * config.batch, (step % BLOCK + 1) * config.batch)
        logits = network(block.items[part], block.names[part], block.query[part])
        loss = F.cross_entropy(logits, block.answer[part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {
        **{
            key: np.array([one[key] for one in history], np.float32)
            for key in history[0]
        },
        **best(config, world, exam),
        "n_parameters": sum(p.numel() for p in network.parameters()),
    }


# --8<-- [end:run]


def best(config: Config, world: World, generator: torch.Generator) -> Measurements:
    """What is the most that each way alone can get, on prompts as in training?"""
    test = world.draw("train", 10 * config.n_test, generator)
    by_item = best_by_item(config.task, test) == test.answer
    by_name = best_by_name(world.means, test) == test.answer
    return {"best_by_item": share(by_item), "best_by_name": share(by_name)}


def end(name: str, cell: str = "plain") -> Callable[[Measurements], float]:
    """The mean of a curve over its last three looks."""
    return lambda m: float(np.mean(m[cell][name][-3:]))


def most(name: str, cell: str = "plain") -> Callable[[Measurements], float]:
    """The highest mean of three looks in a row."""
    return lambda m: float(np.convolve(m[cell][name], np.ones(3) / 3, "valid").max())


def lost(m: Measurements) -> float:
    """How much of its accuracy on novel classes it loses again."""
    return most("novel")(m) - end("novel")(m)


def loss_falls(m: Measurements) -> float:
    """The loss at the end, in units of the loss when novel classes go best."""
    peak = int(np.convolve(m["plain"]["novel"], np.ones(3) / 3, "valid").argmax())
    return end("loss")(m) / float(np.mean(m["plain"]["loss"][peak : peak + 3]))


def beyond_reading(m: Measurements) -> float:
    """How much more it gets right than the best reader of items could."""
    return end("train")(m) - float(m["plain"]["best_by_item"])


def quick(m: Measurements) -> float:
    """The first measured step at which 7 in 10 swapped prompts follow the context."""
    there = m["plain"]["step"][m["plain"]["swapped"] >= 0.7]
    return float(there[0]) if len(there) else np.inf


def crossing(m: Measurements) -> float:
    """The first step at which more answers follow the usual name than the context."""
    over = m["plain"]["step"][m["plain"]["usual"] > m["plain"]["swapped"]]
    over = over[over > 30]  # before that it has learned nothing yet
    return float(over[0]) if len(over) else np.inf


# fmt: off
CLAIMS = [
    Claim("comes", most("swapped"), above(0.7), "of swapped prompts",
          "Early in training more than 7 in 10 swapped prompts are answered as the context has it."),
    Claim("quick", quick, below(60), "steps",
          "In fewer than 60 steps 7 in 10 swapped prompts are answered as the context has it."),
    Claim("goes", end("swapped"), below(0.15), "of swapped prompts",
          "At the end fewer than 15 in 100 swapped prompts are answered as the context has it.",
          Reported("singh2023", "abstract",
                   "in-context learning emerges, then disappears, while the training loss falls", SMALLER)),
    Claim("novel-comes", most("novel"), above(0.8), "of new classes",
          "Early in training more than 8 in 10 items of new classes get their name."),
    Claim("novel-lost", lost, above(0.2), "of new classes",
          "More than 0.2 of the accuracy on new classes is lost again by the end."),
    Claim("loss-falls", loss_falls, below(0.6), "of the loss at the best moment",
          "From the best moment on new classes to the end the loss falls by more than four tenths.",
          Reported("singh2023", "abstract",
                   "the training loss goes on falling while in-context learning disappears", SMALLER)),
    Claim("usual", end("usual"), above(0.85), "of swapped prompts",
          "At the end more than 85 in 100 swapped prompts are answered with the usual name."),
    Claim("named", end("named"), above(0.9), "of prompts",
          "At the end more than 9 in 10 prompts that show the query's usual name, and not its class, get that name.",
          Reported("singh2025", "abstract", "what remains is in-weights learning constrained by the context", SMALLER)),
    Claim("by-item", lambda m: float(m["plain"]["best_by_item"]), below(0.98), "of prompts",
          "The best reader of items gets fewer than 98 in 100 prompts right.", digits=3),
    Claim("by-name", lambda m: float(m["plain"]["best_by_name"]), above(0.985), "of prompts",
          "One who knows every class gets more than 985 in 1000 prompts right.", digits=3),
    Claim("beyond", beyond_reading, above(0.01), "of prompts",
          "At the end the network is right more often than the best reader of items, by more than one prompt in 100."),
    Claim("crossing", crossing, below(3000), "steps",
          "Before step 3,000 more swapped prompts are answered with the usual name than as the context has "
          "it.", digits=2),
    Claim("same-stays", end("swapped", "same"), at_least(0.95), "of swapped prompts",
          "Where the query is a copy of an item of the context, at least 95 in 100 swapped prompts are answered by "
          "the context at the end.",
          Reported("singh2025", "abstract", "a setting in which in-context learning emerges and persists", SMALLER)),
    Claim("same-never", end("named", "same"), at_most(0.6), "of prompts",
          "There the usual name is given in at most 6 of 10 prompts that show it without its class."),
    Claim("decay-stays", end("swapped", "decay"), above(0.5), "of swapped prompts",
          "With weight decay more than half of the swapped prompts are answered by the context at the end.",
          Reported("singh2023", "abstract", "L2 regularisation makes in-context learning more persistent", SMALLER)),
    Claim("decay-novel", end("novel", "decay"), above(0.75), "of new classes",
          "With weight decay more than three quarters of the items of new classes get their name at the end."),
]
# fmt: on
