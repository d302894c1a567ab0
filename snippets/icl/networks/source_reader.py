"""A transformer that reads what a source wrote, bets on the next symbol, and writes on.

Source: the task is ours; the network is `MaskedTransformer`.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.theory.known_sources import Text, rows


# --8<-- [start:predict]
def predict(
    network: MaskedTransformer, text: Text, k: int
) -> Float[Tensor, "n length_and_one k"]:
    """The network's bets, at the beginning and after each symbol. A token shows the
    present symbol and the one before."""
    row = rows(text)
    before = torch.cat([torch.zeros_like(row[:, :1]), row[:, :-1]], 1)
    tokens = torch.cat([F.one_hot(row, k + 1), F.one_hot(before, k + 1)], -1).float()
    may_read = torch.ones(row.shape[1], row.shape[1], dtype=torch.bool).tril()
    return network(tokens, may_read).softmax(-1)


# --8<-- [end:predict]


# --8<-- [start:write]
def write_on(
    guess: Callable[[Text], Tensor],
    text: Int[Tensor, "n told"],
    length: int,
    generator: Generator,
    temperature: float = 1.0,
) -> Int[Tensor, "n all"]:
    """Go on with a text, each symbol drawn from the guess that the text so far gives.
    A temperature below 1 makes likely symbols likelier."""
    # --8<-- [start:own]
    while text.shape[1] < length:
        chances = (guess(text)[:, -1].log() / temperature).softmax(-1)
        text = torch.cat([text, torch.multinomial(chances, 1, generator=generator)], 1)
    # --8<-- [end:own]
    return text


# --8<-- [end:write]
