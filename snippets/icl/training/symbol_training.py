"""How a small transformer is trained on prompts of item-label pairs, and judged."""

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.tasks.symbols import Prompt, Vocabulary, ask
from snippets.icl.training.fresh_batches import train, trained


@dataclass(frozen=True)
class SymbolTraining:
    n_labels: int = 32
    d: int = 16  # entries of a symbol's vector
    n_queries: int = 8  # of a training prompt; each is asked by itself
    d_model: int = 64
    n_layers: int = 2
    n_heads: int = 2
    learning_rate: float = 3e-3
    batch: int = 32
    n_steps: int = 400
    n_test: int = 1024  # prompts of each kind


# --8<-- [start:fit]
Batch = tuple[Vocabulary, Prompt, Int[Tensor, "batch query"]]


def fit(
    c: SymbolTraining, weights: Generator, draw: Callable[[], Batch]
) -> MaskedTransformer:
    """A network trained on prompts that `draw` makes, new ones at each step."""
    network = MaskedTransformer(2 * c.d, c.d, c.d_model, c.n_layers, c.n_heads, weights)

    def batch_loss() -> Float[Tensor, ""]:
        vocabulary, prompt, answer = draw()
        logits = ask(network, vocabulary, prompt)
        return F.cross_entropy(logits.flatten(0, 1), answer.flatten())

    return trained(network, train(network, batch_loss, c.n_steps, c.learning_rate))


def share(
    logits: Float[Tensor, "batch query label"], answer: Int[Tensor, "batch query"]
) -> float:
    """How often the network gives this answer."""
    return (logits.argmax(-1) == answer).double().mean().item()


# --8<-- [end:fit]
