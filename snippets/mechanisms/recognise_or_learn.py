"""Does a network recognise the task of its prompt, or does it learn it from the prompt?

Source: the distinction is pan2023's (abstract), made there on language models. The task
is ours: few tasks can be remembered, many cannot.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.streams import streams
from snippets.icl.tasks.symbols import (
    Prompt,
    Vocabulary,
    ask,
    choose,
    new_tasks,
    pick,
    points,
    show,
    shuffled,
)
from snippets.icl.training.symbol_training import SymbolTraining, fit, share


@dataclass(frozen=True, kw_only=True)
class Config(SymbolTraining):
    n_tasks: int  # known tasks; 0: every training prompt has a task of its own
    n_items: int = 16
    shots: tuple[int, ...] = (0, 1, 2, 4, 8, 12)  # pairs in a prompt, to test with
    n_steps: int = 500
    probe: int = 8  # pairs, where the two ways to answer are told apart


PRESETS = {
    "laptop": {
        "t4": Config(n_tasks=4),
        "t16": Config(n_tasks=16),
        "t64": Config(n_tasks=64),
        "new": Config(n_tasks=0),
    }
}


# --8<-- [start:world]
class World:
    """The known tasks, and prompts of known and of new ones."""

    def __init__(self, config: Config, fixed: Generator, data: Generator) -> None:
        c, self.config, self.generator = config, config, data
        items, labels = points(c.n_items, c.d, fixed), points(c.n_labels, c.d, fixed)
        self.words = Vocabulary(items, labels)
        self.tasks = new_tasks(max(c.n_tasks, 1), c.n_items, c.n_labels, fixed)

    def known(self, batch: int) -> Int[Tensor, "batch item"]:
        if self.config.n_tasks == 0:
            return self.new(batch)  # the network knows no task
        return choose(self.tasks, batch, self.generator)

    def new(self, batch: int) -> Int[Tensor, "batch item"]:
        c = self.config
        return new_tasks(batch, c.n_items, c.n_labels, self.generator)

    def any_item(
        self, tasks: Int[Tensor, "batch item"], n_pairs: int
    ) -> tuple[Prompt, Int[Tensor, "batch query"]]:
        """Prompts with so many pairs, which ask for any of the items."""
        c, g, batch = self.config, self.generator, len(tasks)
        order = shuffled(c.n_items, batch, g)
        queries = torch.randint(c.n_items, (batch, c.n_queries), generator=g)
        return show(tasks, order[:, :n_pairs], queries)

    def training_prompts(self) -> tuple[Vocabulary, Prompt, Int[Tensor, "batch query"]]:
        """Any number of pairs, none included; all prompts of a batch have as many."""
        c, g = self.config, self.generator
        n_pairs = int(torch.randint(max(c.shots) + 1, (1,), generator=g))
        return self.words, *self.any_item(self.known(c.batch), n_pairs)

    # --8<-- [end:world]

    # --8<-- [start:probes]
    def probe(
        self, tasks: Int[Tensor, "batch item"], shown: bool
    ) -> tuple[Prompt, Int[Tensor, "batch 1"]]:
        """One query, which the prompt shows or does not show."""
        c, g = self.config, self.generator
        order = shuffled(c.n_items, len(tasks), g)
        return show(tasks, *pick(order, c.probe, 1, float(shown), g))

    def lie(
        self, prompt: Prompt, answer: Int[Tensor, "batch 1"]
    ) -> tuple[Prompt, Int[Tensor, "batch 1"]]:
        """The same prompt, but the query's own pair has another label."""
        n, size = self.config.n_labels, (len(answer), 1)
        says = (answer + torch.randint(1, n, size, generator=self.generator)) % n
        labels = torch.where(prompt.items == prompt.queries, says, prompt.labels)
        return Prompt(prompt.items, labels, prompt.queries), says

    # --8<-- [end:probes]


# --8<-- [start:exact]
def recogniser(
    tasks: Int[Tensor, "task item"], prompt: Prompt, n_labels: int
) -> Float[Tensor, "batch query label"]:
    """Probability of each label for who knows the tasks and nothing else: all tasks
    that agree with every pair of the prompt have one vote."""
    of_pairs = tasks[:, prompt.items]  # (task, batch, pair)
    agrees = (of_pairs == prompt.labels).all(-1).float()  # (task, batch)
    votes = F.one_hot(tasks[:, prompt.queries], n_labels).float()
    total = torch.einsum("tb,tbql->bql", agrees, votes)
    return total / agrees.sum(0)[:, None, None].clamp(min=1)


def learner(n_pairs: np.ndarray, n_items: int, n_labels: int) -> np.ndarray:
    """Accuracy of who knows no task: right where the item is shown, else a guess."""
    shown = n_pairs / n_items
    return shown + (1 - shown) / n_labels


# --8<-- [end:exact]


# --8<-- [start:evaluate]
def evaluate(network: MaskedTransformer, world: World) -> dict[str, float | np.ndarray]:
    c, n = world.config, world.config.n_test
    by_shots: dict[str, list[float]] = {"known": [], "new": [], "exact": []}
    for shots in c.shots:
        prompt, answer = world.any_item(world.known(n), shots)
        by_shots["known"].append(share(ask(network, world.words, prompt), answer))
        best = recogniser(world.tasks, prompt, c.n_labels)
        by_shots["exact"].append(share(best, answer))
        prompt, answer = world.any_item(world.new(n), shots)
        by_shots["new"].append(share(ask(network, world.words, prompt), answer))

    result: dict[str, float] = {}
    for name, tasks in (("known", world.known), ("new", world.new)):
        for place, shown in (("shown", True), ("hidden", False)):
            prompt, answer = world.probe(tasks(n), shown)
            result[f"{name}_{place}"] = share(ask(network, world.words, prompt), answer)
    prompt, answer = world.probe(world.known(n), shown=True)
    changed, says = world.lie(prompt, answer)
    logits = ask(network, world.words, changed)
    result |= {"lie_prompt": share(logits, says), "lie_task": share(logits, answer)}
    return {**result, **{name: np.array(curve) for name, curve in by_shots.items()}}


# --8<-- [end:evaluate]


def run(config: Config, seed: int) -> Measurements:
    weights, fixed, data, test = streams(seed, 4)
    world = World(config, fixed, data)
    network = fit(config, weights, world.training_prompts)
    world.generator = test  # prompts that training did not draw
    return {**evaluate(network, world), "shots": np.array(config.shots)}


def after(m: Measurements, curve: str, n_pairs: int) -> float:
    """A curve's value at so many pairs."""
    return float(m[curve][list(m["shots"]).index(n_pairs)])


def from_the_line(m: Measurements, config: Config) -> float:
    """The largest distance between a network's accuracy on new tasks and the formula of
    who learns and knows no task."""
    line = learner(m["shots"], config.n_items, config.n_labels)
    return float(np.abs(m["new"] - line).max())


# fmt: off
CLAIMS = [
    Claim("recognises", lambda m: m["t4"]["known_hidden"], above(0.9), "",
          "Trained on 4 tasks, it gives the right label of an item that the prompt does not show in more "
          "than 9 of 10 prompts of a known task.",
          digits=3),
    Claim("learns-nothing", lambda m: m["t4"]["new_shown"], below(0.1), "",
          "Trained on 4 tasks, it reads fewer than 1 in 10 labels that a prompt of a new task shows."),
    Claim("learns", lambda m: m["new"]["new_shown"], above(0.95), "",
          "Trained on a new task in every prompt, it reads more than 95 in 100 labels that a prompt of a new "
          "task shows.",
          digits=3),
    Claim("on-the-line", lambda m: from_the_line(m["new"], PRESETS["laptop"]["new"]), below(0.04), "",
          "Its accuracy on new tasks stays within 0.04 of the formula for who knows no task, at every number "
          "of pairs."),
    Claim("many-learn", lambda m: m["t64"]["new_shown"] - m["t64"]["known_hidden"], above(0.75), "",
          "Trained on 64 tasks, it reads the shown labels of new tasks better than it knows the hidden "
          "labels of its own, by more than 0.75."),
    Claim("recognises-sixteen", lambda m: m["t16"]["known_hidden"], above(0.75), "",
          "Trained on 16 tasks, it gives the right label of an item that the prompt does not show in more "
          "than 3 of 4 prompts of a known task."),
    Claim("learns-a-little", lambda m: m["t16"]["new_shown"], above(0.152), "",
          "Trained on 16 tasks, it reads more labels that a prompt of a new task shows than naming any of its "
          "eight labels would get right, 0.152."),
    Claim("soon", lambda m: after(m["t4"], "known", 12) - after(m["t4"], "known", 4), below(0.05), "",
          "From 4 pairs to 12, recognition gains less than 0.05."),
    Claim("on-and-on", lambda m: after(m["new"], "new", 12) - after(m["new"], "new", 4), above(0.4), "",
          "From 4 pairs to 12, learning gains more than 0.4."),
    Claim("deaf", lambda m: m["t4"]["lie_task"], above(0.9), "",
          "Where the pair asked about is wrong and the others are of a known task, the network of 4 tasks "
          "answers as the task has it in more than 9 of 10.",
          digits=3),
    Claim("believes", lambda m: m["t64"]["lie_prompt"], above(0.9), "",
          "In the same prompts the network of 64 tasks repeats the wrong label in more than 9 of 10.",
          digits=3),
]
# fmt: on
