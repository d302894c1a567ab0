"""Which heads look for what followed before, and does the model need them?

Scores are the book's own: see icl/measures. Source: olsson2022, head activation evaluators, for
both scores and for 25 random tokens, repeated four times behind a start token.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.book.errors import UsageError
from snippets.icl.measures import (
    ablate,
    prefix_matching,
    previous_token,
    random_repeats,
)
from snippets.icl.streams import streams
from snippets.live.model import LiveModel

LENGTH, COPIES, BATCH = 25, 4, 16
REMOVED = (1, 2, 4, 8)  # so many heads are silenced together
DRAWS = 5  # of as many random heads


# --8<-- [start:measure]
def measure(live: LiveModel, seed: int = 0) -> dict[str, Any]:
    """Scores of every head (layer, head), loss by position, and loss without some heads."""
    text, choice = streams(seed, 2)
    tokens, start = repeated_tokens(live, text)
    logits, patterns = live(tokens)
    prefix = torch.stack([prefix_matching(p, tokens) for p in patterns])
    previous = torch.stack([previous_token(p) for p in patterns])
    even = torch.ones_like(patterns[0][:, :1]).tril()
    even /= even.sum(-1, keepdim=True)  # attention to all tokens so far alike
    loss = losses(logits, tokens).mean(0)
    return {
        "prefix": prefix.tolist(),
        "previous": previous.tolist(),
        "prefix_if_even": prefix_matching(even, tokens).item(),
        "previous_if_even": previous_token(even).item(),
        "loss": loss.tolist(),
        "first_copy": loss[: LENGTH + start - 1].mean().item(),
        "later_copies": loss[LENGTH + start :].mean().item(),
        "without": without(live, tokens, start, prefix, choice),
    }


# --8<-- [end:measure]


def repeated_tokens(
    live: LiveModel, generator: Generator
) -> tuple[Int[Tensor, "batch pos"], int]:
    """Random ordinary tokens, repeated; and how many start tokens stand in front."""
    ordinary = live.ordinary_tokens()
    room = getattr(live.model.config, "max_position_embeddings", None) or 10**6
    if room <= LENGTH * COPIES or len(ordinary) < LENGTH:
        raise UsageError(
            f"'{live.name}' has room for {room} tokens and knows {len(ordinary)} words; "
            f"{LENGTH} words {COPIES} times over do not fit"
        )
    places = random_repeats(len(ordinary), LENGTH, COPIES, BATCH, generator)
    tokens = ordinary[places]
    start = live.tokenizer.bos_token_id
    if start is None:
        return tokens, 0
    return torch.cat([torch.full((BATCH, 1), start), tokens], 1), 1


def losses(
    logits: Float[Tensor, "batch pos n_vocab"], tokens: Int[Tensor, "batch pos"]
) -> Float[Tensor, "batch later"]:
    """-log p of each token but the first, in nats."""
    told = logits[:, :-1].log_softmax(-1)
    return -told.gather(2, tokens[:, 1:, None])[..., 0]


# --8<-- [start:without]
def without(
    live: LiveModel,
    tokens: Int[Tensor, "batch pos"],
    start: int,
    prefix: Float[Tensor, "layer head"],
    generator: Generator,
) -> list[dict[str, Any]]:
    """The loss on later copies when the best prefix-matching heads write zero; and when as
    many of the other heads do, mean over draws."""
    n_heads = prefix.shape[1]
    order = [
        divmod(i, n_heads) for i in prefix.flatten().argsort(descending=True).tolist()
    ]

    def loss(heads: list[tuple[int, int]]) -> float:
        logits = ablate(live, tokens, heads)
        return losses(logits, tokens)[:, LENGTH + start :].mean().item()

    found = []
    for n in (n for n in REMOVED if 2 * n <= len(order)):
        rest = order[n:]
        picks = [
            torch.randperm(len(rest), generator=generator)[:n] for _ in range(DRAWS)
        ]
        others = [loss([rest[i] for i in pick.tolist()]) for pick in picks]
        found.append(
            {"heads": n, "best": loss(order[:n]), "random": sum(others) / DRAWS}
        )
    return found


# --8<-- [end:without]
