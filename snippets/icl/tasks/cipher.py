"""A cipher in context: a text of symbols, a code that is new in each prompt, and the text
in code, backwards.

    code     a = 4, b = 1, c = 3, ...        a pair for each symbol
    text     c a b                           one symbol may come several times
    answer   1 4 3                           the last symbol first

A sequence for a sequence: nothing but the code says which symbol becomes which.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Generator, Tensor


# --8<-- [start:task]
@dataclass(frozen=True)
class Cipher:
    code: Int[Tensor, "batch n_symbols"]  # what each symbol becomes
    text: Int[Tensor, "batch length"]
    answer: Int[Tensor, "batch length"]


# --8<-- [end:task]


def draw_cipher(
    batch: int, n_symbols: int, length: int, generator: Generator
) -> Cipher:
    """Prompts with a shuffled code each. Raises ValueError where a size is below 1."""
    for name, size in (("batch", batch), ("n_symbols", n_symbols), ("length", length)):
        if size < 1:
            raise ValueError(f"{name} = {size}: a prompt needs at least 1")
    code = torch.rand(batch, n_symbols, generator=generator).argsort(1)
    text = torch.randint(n_symbols, (batch, length), generator=generator)
    return Cipher(code, text, encode(code, text))


# --8<-- [start:encode]
def encode(
    code: Int[Tensor, "batch n_symbols"], text: Int[Tensor, "batch length"]
) -> Int[Tensor, "batch length"]:
    """The text in code, backwards. Raises ValueError for a symbol without code."""
    n_symbols = code.shape[1]
    if text.numel() and not 0 <= int(text.min()) <= int(text.max()) < n_symbols:
        raise ValueError(
            f"the text has a symbol that is none of 0 to {n_symbols - 1}: the code has "
            "nothing for it"
        )
    return code.gather(1, text).flip(1)


# --8<-- [end:encode]
