"""Train one two-layer network for each kind of data, all at once.

Every network of a seed starts from the same first weights and sees as many sequences; the
data are all that differs. `vmap` runs the forward pass of one network for all of them.

Source: the task and the measures follow reddy2024, section 2 and figures 2 to 4. What
differs: Adam in place of SGD, smaller sizes, contexts that do not move.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.func import functional_call, stack_module_state, vmap

from snippets.icl.networks.two_layer import TwoLayerNetwork
from snippets.icl.streams import streams
from snippets.icl.tasks.item_label import Batch
from snippets.icl.tasks.item_label_data import Data, World
from snippets.icl.theory.context_and_memory import best_memory, best_reader
from snippets.progress import steps

BLOCK = 25  # steps whose sequences are drawn at once: fewer and larger draws
Tokens = Float[Tensor, "cell batch pos d_model"]


@dataclass(frozen=True, kw_only=True)
class Training:
    n_steps: int
    optimizer: str = "adam"  # or "sgd"
    learning_rate: float = 0.003
    batch: int = 64
    width: int = 64  # of the classifier's hidden layers
    look_every: int = 25
    n_look: int = 256  # sequences of each kind to look at during training
    n_test: int = 2048  # and at the end

    def __post_init__(self) -> None:
        """Raise ValueError where there is no such training."""
        if self.optimizer not in ("adam", "sgd"):
            raise ValueError(f"optimizer = {self.optimizer!r}: choose adam or sgd")


# --8<-- [start:networks]
class Networks:
    """One network for each kind of data, all from the same first weights."""

    def __init__(self, cells: list[Data], width: int, seed: int) -> None:
        check_sizes(cells)
        one = cells[0]
        sizes = (one.d_model, one.d_item, one.n_labels, width)
        alike = [TwoLayerNetwork(*sizes, streams(seed, 2)[1]) for _ in cells]
        weights, _ = stack_module_state(alike)  # each (cell, ...)
        self.weights = {k: w.detach().requires_grad_() for k, w in weights.items()}
        self.all = vmap(lambda w, x: functional_call(alike[0], w, (x,)))

    def __call__(self, tokens: Tokens) -> tuple[Tensor, Tensor, Tensor]:
        """(cell, batch, label) logits; attention of both layers as in `two_layer`."""
        return self.all(self.weights, tokens)


# --8<-- [end:networks]


def check_sizes(cells: list[Data]) -> None:
    """Raise ValueError where the networks would not have one shape."""
    sizes = {(c.n_pairs, c.n_labels, c.d_item) for c in cells}
    if len(sizes) != 1:
        raise ValueError(
            f"{len(sizes)} different (N, L, D) among the cells: networks side by side "
            "need one; run the others apart"
        )


@dataclass(frozen=True)
class Together:
    """One batch for each network."""

    tokens: Tokens
    answer: Int[Tensor, "cell batch"]
    context_labels: Int[Tensor, "cell batch pair"]
    answer_shown: Float[Tensor, "cell batch pair"]


def together(batches: list[Batch]) -> Together:
    names = ("tokens", "answer", "context_labels", "answer_shown")
    return Together(*(torch.stack([getattr(b, n) for b in batches]) for n in names))


# --8<-- [start:train]
def train(
    networks: Networks, worlds: list[World], config: Training, data: Generator
) -> Iterator[int]:
    """Train all of them, and hand over the step whenever it is time to look."""
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.SGD
    optimizer = kind(list(networks.weights.values()), lr=config.learning_rate)
    for step in steps(config.n_steps + 1):
        if step % config.look_every == 0:
            yield step
        if step == config.n_steps:
            return
        if step % BLOCK == 0:  # fresh sequences at every step
            block = together([w.train(config.batch * BLOCK, data) for w in worlds])
            tokens = block.tokens.split(config.batch, 1)
            answers = block.answer.split(config.batch, 1)
        logits, _, _ = networks(tokens[step % BLOCK])
        answer = answers[step % BLOCK]
        loss = F.cross_entropy(logits.flatten(0, 1), answer.flatten(), reduction="sum")
        optimizer.zero_grad()
        (loss / config.batch).backward()  # a sum over cells: none sees another's loss
        optimizer.step()


# --8<-- [end:train]


# --8<-- [start:look]
def right(logits: Tensor, answer: Tensor) -> Float[Tensor, "cell"]:
    return (logits.argmax(-1) == answer).float().mean(1)


@torch.no_grad()
def look(networks: Networks, novel: Together, absent: Together) -> dict[str, Tensor]:
    """From the context, from memory, and the progress of the two looks back."""
    logits, first, second = networks(novel.tokens)
    labels = torch.arange(1, first.shape[-1], 2)
    guess = logits.argmax(-1)[..., None]
    return {
        "context": right(logits, novel.answer),
        "memory": right(networks(absent.tokens)[0], absent.answer),
        # a label token of layer 1 looks at its own item
        "label_to_item": first[..., labels, labels - 1].mean((1, 2)),
        # the target looks, in layer 2, at the label it should name
        "target_to_label": (second[..., labels] * novel.answer_shown).sum(2).mean(1),
        "names_a_shown_label": (novel.context_labels == guess).any(2).float().mean(1),
    }


# --8<-- [end:look]


@torch.no_grad()
def examine(
    networks: Networks, worlds: list[World], n_test: int, exam: Generator
) -> dict[str, np.ndarray]:
    """All that is asked at the end, and what the two oracles answer: (cell,) each."""
    asked = {
        "context": lambda w: w.novel(n_test, exam),
        "context_b": lambda w: w.novel(n_test, exam, max(w.data.copies, 1)),
        "memory": lambda w: w.absent(n_test, exam),
        "memory_evenly": lambda w: w.absent(n_test, exam, range(w.data.n_classes)),
        "memory_iid": lambda w: w.source_iid(n_test, exam),
        "rotated": lambda w: w.rotated(n_test, exam),
        "training": lambda w: w.train(n_test, exam),
    }
    found: dict[str, np.ndarray] = {}
    for name, draw in asked.items():
        batches = [draw(world) for world in worlds]
        test = together(batches)
        found[name] = right(networks(test.tokens)[0], test.answer).numpy()
        best = {"context": best_reader, "memory": best_memory}.get(name)
        if best:
            pairs = zip(worlds, batches)
            found[f"best_{name}"] = np.array([best(*p) for p in pairs], np.float32)
    return found


@torch.no_grad()
def memory_by_rank(
    networks: Networks,
    worlds: list[World],
    bins: Sequence[range],
    n: int,
    exam: Generator,
) -> Float[np.ndarray, "cell bin"]:
    """Accuracy from memory alone on classes of some ranks, each of them alike."""
    found = []
    for ranks in bins:
        test = together([w.absent(n, exam, ranks) for w in worlds])
        found.append(right(networks(test.tokens)[0], test.answer))
    return torch.stack(found, 1).numpy()


# --8<-- [start:run]
def side_by_side(
    cells: list[Data], config: Training, seed: int, bins: Sequence[range] = ()
) -> dict[str, np.ndarray]:
    """Curves as (time, cell), and under `end_...` what was asked at the end, (cell,);
    with `bins`, ranges of ranks, also memory of the classes in each, (cell, bin)."""
    _, _, data, exam = streams(seed, 4)
    worlds = [World(cell, streams(seed, 1)[0]) for cell in cells]
    networks = Networks(cells, config.width, seed)
    novel = together([w.novel(config.n_look, exam) for w in worlds])
    absent = together([w.absent(config.n_look, exam) for w in worlds])
    history, at = [], []
    for step in train(networks, worlds, config, data):
        history.append(look(networks, novel, absent))
        at.append(step)
    curves = {k: torch.stack([h[k] for h in history]).numpy() for k in history[0]}
    end = examine(networks, worlds, config.n_test, exam)
    if bins:
        ranked = memory_by_rank(networks, worlds, bins, config.n_look, exam)
        end["memory_by_rank"] = ranked
    return {"step": np.array(at)} | curves | {f"end_{k}": v for k, v in end.items()}


# --8<-- [end:run]
