"""What a two-layer network does on a sequence of items and labels: its two looks, its guess.

Source: the attention of the two layers follows reddy2024, figure 4. Patterns are those that
`two_layer` returns.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from snippets.icl.shapes import Labels, Logits, Pattern
from snippets.icl.tasks.item_label import Batch


# --8<-- [start:measures]
def label_to_item(first: Pattern) -> float:
    """First layer: how much a label attends to its item, which stands before it."""
    labels = torch.arange(1, first.shape[1], 2)
    return first[:, labels, labels - 1].mean().item()


def target_to_label(second: Float[Tensor, "batch pos"], batch: Batch) -> float:
    """Second layer: how much the target attends to the label that is the answer."""
    return (second[:, 1::2] * batch.answer_shown).sum(1).mean().item()


def names_a_shown_label(guess: Labels, batch: Batch) -> float:
    """How often the guess is one of the labels in the context, right or wrong."""
    return (guess[:, None] == batch.context_labels).any(1).float().mean().item()


# --8<-- [end:measures]


def share_right(logits: Logits, answer: Labels) -> float:
    return (logits.argmax(-1) == answer).float().mean().item()
