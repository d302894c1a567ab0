"""What do the attention maps of a two-layer network look like while it grows an
induction head?

Source: olsson2022 (argument 1: induction heads form in the window in which the loss on
repeats falls). The network, the task and the training are those of `grow_one`, with
other first weights and other sequences; here the maps are kept at every look.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    at_least,
    below,
)
from snippets.icl.measures import prefix_matching, previous_token
from snippets.icl.networks.small_transformer import SmallTransformer
from snippets.icl.streams import streams
from snippets.icl.tasks.repeated_segments import Batch, Task, World
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    task: Task = field(default_factory=Task)
    d_model: int = 64
    n_heads: int = 2
    learning_rate: float = 3e-3
    faster: float = 20.0  # the rate of distances, in units of learning_rate
    weight_decay: float = 0.01
    warm_up: int = 50  # steps
    batch: int = 32
    n_steps: int = 450
    look_every: int = 15
    n_test: int = 64


PRESETS = {"laptop": Config()}

NAMES = "abcdefghijklmnopqrstuvwxyzABCDEF"  # of the 32 tokens
# a segment of eight tokens, four others, and again: in training, too, a segment returns
# after twelve tokens at the earliest
PROBE = "questionxbkwquestion"
NEAR = "questionquestion"  # it returns at once: training never showed that
SECOND = slice(12, 19)  # letters of the second copy whose next one the first has shown


# --8<-- [start:look]
@torch.no_grad()
def look(network: SmallTransformer, test: Batch) -> dict[str, np.ndarray]:
    """Losses and scores on held-out sequences; maps and guesses on the probe."""
    logits, patterns = network(test.read)
    loss = F.cross_entropy(logits.mT, test.wanted, reduction="none")
    probe = torch.tensor([[NAMES.index(name) for name in PROBE]])
    guess, maps = network(probe)
    right = guess[0, :-1].softmax(-1).gather(1, probe[0, 1:, None])[:, 0]
    matching = [prefix_matching(p, test.read, test.repeats) for p in patterns]
    return {
        "loss": torch.stack([loss[test.repeats].mean(), loss[test.background].mean()])
        .float()
        .numpy(),
        "prefix": torch.stack(matching).float().numpy(),  # (layer, head)
        "previous": torch.stack([previous_token(p) for p in patterns]).float().numpy(),
        "maps": in_bytes(torch.cat(maps)),  # (layer, head, query and key)
        "right": in_bytes(right),  # probability of the letter that comes next
    }


def in_bytes(share: Tensor) -> np.ndarray:
    """Shares between 0 and 1 in 256 steps; of a map, only what a query can see."""
    if share.ndim > 1:
        query, key = torch.tril_indices(*share.shape[-2:])
        share = share[..., query, key]
    return (255 * share).round().to(torch.uint8).numpy()


# --8<-- [end:look]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    task = config.task
    table, training, held_out, weights = streams(seed, 4)
    world = World(task, table)
    data = world.draw(config.n_steps * config.batch, training)
    test = world.draw(config.n_test, held_out)
    shape = (2, task.n_vocab, task.n_tokens, config.d_model, config.n_heads)
    network = SmallTransformer(*shape, weights)
    looks = train(config, network, data, test)
    found = {name: np.stack([one[name] for one in looks]) for name in looks[0]}
    found["step"] = np.arange(len(looks), dtype=np.int32) * config.look_every
    # which head looks back by one, and which finds what followed, at the end
    heads = [
        int(found["previous"][-1, 0].argmax()),
        int(found["prefix"][-1, 1].argmax()),
    ]
    return {
        **found,
        "heads": np.array(heads, dtype=np.int32),
        "near_end": when_near(network, heads[1]),
        **summary(found, heads),
    }


# --8<-- [end:run]


def train(
    config: Config, network: SmallTransformer, data: Batch, test: Batch
) -> list[dict[str, np.ndarray]]:
    """Next-token prediction at every position; each sequence is seen once."""
    optimizer = network.optimizer(
        config.learning_rate, config.faster, config.weight_decay
    )
    warm_up = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / config.warm_up)
    )
    looks = [look(network, test)]
    for step in steps(config.n_steps):
        now = slice(step * config.batch, (step + 1) * config.batch)
        logits, _ = network(data.read[now])
        loss = F.cross_entropy(logits.mT, data.wanted[now])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1)
        optimizer.step()
        warm_up.step()
        if (step + 1) % config.look_every == 0:
            looks.append(look(network, test))
    return looks


# --8<-- [start:derived]
@torch.no_grad()
def when_near(network: SmallTransformer, head: int) -> float:
    """What the induction head gives to what followed, where the segment returns at
    once."""
    _, patterns = network(torch.tensor([[NAMES.index(name) for name in NEAR]]))
    letters = torch.arange(len(NEAR) // 2, len(NEAR) - 1)
    follows = letters - len(NEAR) // 2 + 1
    return float(patterns[1][0, head, letters, follows].mean())


def in_the_probe(maps: np.ndarray, heads: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Over training, in the second copy: attention of the previous-token head to the
    token before, and of the induction head to what followed in the first copy."""
    n = len(PROBE)
    whole = np.zeros((*maps.shape[:-1], n, n), dtype=np.float32)
    whole[..., *np.tril_indices(n)] = maps / 255
    letters = np.arange(SECOND.start, SECOND.stop)
    back = whole[:, 0, heads[0]][:, letters, letters - 1].mean(1)
    found = whole[:, 1, heads[1]][:, letters, letters - SECOND.start + 1].mean(1)
    return back, found


def summary(found: Measurements, heads: list[int]) -> dict[str, float]:
    back, follows = in_the_probe(found["maps"], heads)
    guess = found["right"][:, SECOND].mean(1) / 255
    half = [
        float(found["step"][np.argmax(curve >= curve[-1] / 2)])
        for curve in (back, follows)
    ]
    return {
        "back_end": float(back[-1]),
        "follows_end": float(follows[-1]),
        "right_early": float(guess[found["step"] == 45][0]),
        "right_end": float(guess[-1]),
        "back_half": half[0],
        "follows_half": half[1],
    }


# --8<-- [end:derived]


# fmt: off
CLAIMS = [
    Claim("stripe", lambda m: float(m["follows_end"]), above(0.5), "of the attention",
          "At the end, in a word that stands twice, the induction head puts over half of its attention on the letters "
          "that followed in the first copy.",
          Reported("olsson2022", "argument 1", "induction heads form early in training", SMALLER)),
    Claim("back-first", lambda m: float(m["follows_half"] - m["back_half"]), at_least(0), "steps earlier",
          "Layer 1's attention to the letter before reaches half of its last value no later than layer 2's to what "
          "followed."),
    Claim("guesses", lambda m: float(m["right_end"]), above(0.5), "of the probability",
          "At the end the letters of the second copy that the first has shown get over half of the probability."),
    Claim("no-guess", lambda m: float(m["right_early"]), below(0.15), "of the probability",
          "At step 45, when the table of pairs is nearly known, they get less than 0.15."),
    Claim("near", lambda m: float(m["near_end"] / m["follows_end"]), below(0.6), "of that",
          "Where a segment returns sooner than it ever did in training, the induction head gives less than 0.6 of that "
          "attention to what followed."),
]
# fmt: on
