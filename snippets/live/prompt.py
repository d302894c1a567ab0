"""Does the model go on with what the prompt says, or with what it knows?

The dax prompt of the book's first chapter, and prompts of few shots with three kinds of labels:
the usual ones, flipped ones, and words that mean nothing. Source: brown2020 for prompts of a
few shots; wei2023 for flipped labels and labels without meaning (abstract).
"""

from typing import Any

import torch
from torch import Generator

from snippets.book.errors import UsageError
from snippets.icl.streams import streams
from snippets.live.model import LiveModel, first_token, last_logits
from snippets.live.words import COLOURS, DAX, DAX_ALONE, KINDS, UNSEEN

SHOTS = (0, 1, 2, 4, 8, 16)
DRAWS = 32  # prompts for each number of shots


def measure(live: LiveModel, seed: int = 0) -> dict[str, Any]:
    """Both kinds of prompt."""
    return {"dax": dax(live), "few_shot": few_shot(live, seed)}


# --8<-- [start:dax]
def dax(live: LiveModel) -> dict[str, dict[str, float]]:
    """How likely each colour is behind *a dax is*: alone, and when the prompt has said."""
    red, blue = answers(live, DAX, COLOURS)
    flipped = DAX.replace("red", "?").replace("blue", "red").replace("?", "blue")
    prompts = {"alone": DAX_ALONE, "a dax is red": DAX, "a dax is blue": flipped}
    probability = last_logits(live, list(prompts.values())).softmax(-1)
    return {
        name: {"red": p[red].item(), "blue": p[blue].item()}
        for name, p in zip(prompts, probability, strict=True)
    }


# --8<-- [end:dax]


# --8<-- [start:few_shot]
def few_shot(live: LiveModel, seed: int) -> dict[str, dict[str, list[float]]]:
    """For each kind of labels, against shots: the probability of the label that the prompt
    calls right, and of the usual one; and how often the right one is ahead of the other."""
    animal, fruit = KINDS
    labels = {
        "usual": {animal: animal, fruit: fruit},
        "flipped": {animal: fruit, fruit: animal},
        "unseen": dict(zip(KINDS, UNSEEN, strict=True)),
    }
    found = {}
    for name, says in labels.items():
        (generator,) = streams(seed, 1)  # the same words for each kind of labels
        rows = [shots_row(live, says, n, generator) for n in SHOTS]
        found[name] = {key: [row[key] for row in rows] for key in rows[0]}
    return found


def shots_row(
    live: LiveModel, says: dict[str, str], n_shots: int, generator: Generator
) -> dict[str, float]:
    """One number of shots, averaged over prompts."""
    drawn = [draw_prompt(says, n_shots, generator) for _ in range(DRAWS)]
    prompts = [text for text, _ in drawn]
    kinds = list(KINDS)
    shown = answers(live, prompts[0], [says[kind] for kind in kinds])
    usual = answers(live, prompts[0], kinds)
    p = last_logits(live, prompts).softmax(-1)  # (prompt, n_vocab)
    which = [kinds.index(kind) for _, kind in drawn]
    right = torch.stack([p[i, shown[k]] for i, k in enumerate(which)])
    wrong = torch.stack([p[i, shown[1 - k]] for i, k in enumerate(which)])
    known = torch.stack([p[i, usual[k]] for i, k in enumerate(which)])
    return {
        "right": right.mean().item(),
        "usual": known.mean().item(),
        "ahead": (right > wrong).float().mean().item(),
    }


def draw_prompt(
    says: dict[str, str], n_shots: int, generator: Generator
) -> tuple[str, str]:
    """A prompt whose query is not among its shots, and the query's kind. Kinds alternate
    from a random one on, so that the shots favour neither, or one by one shot."""
    kinds = list(KINDS)
    first, asked = torch.randint(2, (2,), generator=generator).tolist()
    words = {kind: shuffled(KINDS[kind], generator) for kind in kinds}
    lines = []
    for number in range(n_shots):
        kind = kinds[(first + number) % 2]
        lines.append(f"{words[kind].pop()} -> {says[kind]}\n")
    kind = kinds[asked]
    return f"{''.join(lines)}{words[kind].pop()} ->", kind


# --8<-- [end:few_shot]


def shuffled(words: list[str], generator: Generator) -> list[str]:
    return [words[i] for i in torch.randperm(len(words), generator=generator).tolist()]


def answers(live: LiveModel, prompt: str, words: list[str] | tuple) -> list[int]:
    """The first token of each answer. Raises UsageError where two begin alike."""
    found = [first_token(live, prompt, word) for word in words]
    if len(set(found)) < len(found):
        raise UsageError(
            f"'{live.name}' writes {' and '.join(words)} with the same first token: they "
            f"cannot be told apart by it"
        )
    return found
