"""Text as tokens: byte-pair encoding, learned from the text that is trained on.

It begins with the 256 bytes and adds, one by one, the pair of tokens that stands side by
side most often. So every text can be written, and nothing is unknown.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Generator, Tensor

from snippets.icl.tasks.real_text import Document, corpus


# --8<-- [start:learn]
def learn_pairs(texts: Sequence[str], n_vocab: int) -> Tokenizer:
    """A tokeniser of n_vocab tokens; the same texts give the same tokeniser."""
    if n_vocab < 256:
        raise ValueError(
            f"{n_vocab} tokens cannot hold the 256 bytes: take 256 or more"
        )
    if not any(texts):
        raise ValueError("there is no text to learn pairs from")
    tokeniser = Tokenizer(models.BPE())
    tokeniser.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokeniser.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokeniser.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=n_vocab, show_progress=False, initial_alphabet=alphabet
        ),
    )
    return tokeniser


# --8<-- [end:learn]


def encode(tokeniser: Tokenizer, texts: Sequence[str]) -> list[Int[Tensor, "token"]]:
    """The token ids of each text."""
    return [
        torch.from_numpy(np.array(found.ids, dtype=np.int64))
        for found in tokeniser.encode_batch_fast(list(texts))
    ]


def decode(tokeniser: Tokenizer, ids: Sequence[int]) -> str:
    """The text that tokens spell. Raises ValueError for an id that is no token's."""
    n_vocab = tokeniser.get_vocab_size()
    for one in ids:
        if not 0 <= one < n_vocab:
            raise ValueError(f"there is no token {one}: ids go from 0 to {n_vocab - 1}")
    return tokeniser.decode(list(ids))


def n_bytes(tokeniser: Tokenizer) -> Int[Tensor, "n_vocab"]:
    """How many bytes each token spells: byte-level tokens have one letter a byte."""
    n_vocab = tokeniser.get_vocab_size()
    return torch.tensor([len(tokeniser.id_to_token(i) or "") for i in range(n_vocab)])


def tokenised(name: str, n_vocab: int) -> tuple[Tokenizer, Tensor, Tensor]:
    """A corpus as two rows of tokens: trained on, and held out."""
    found: list[Document] = corpus(name)
    seen = [document.text for document in found if not document.held_out]
    kept = [document.text for document in found if document.held_out]
    tokeniser = learn_pairs(seen, n_vocab)
    return (
        tokeniser,
        torch.cat(encode(tokeniser, seen)),
        torch.cat(encode(tokeniser, kept)),
    )


# --8<-- [start:windows]
def windows(
    row: Int[Tensor, "token"], length: int, n: int, generator: Generator
) -> Int[Tensor, "window pos"]:
    """n stretches of a row of tokens, which begin anywhere."""
    if length > len(row):
        raise ValueError(
            f"a window of {length} tokens is longer than the text's {len(row)}"
        )
    starts = torch.randint(len(row) - length + 1, (n, 1), generator=generator)
    return row[starts + torch.arange(length)]


def cut(row: Int[Tensor, "token"], length: int, n: int) -> Int[Tensor, "window pos"]:
    """n windows that do not overlap, spread evenly over the row."""
    if n * length > len(row):
        raise ValueError(
            f"{n} windows of {length} tokens do not fit into the text's {len(row)}"
        )
    gap = len(row) // n
    return row[torch.arange(n)[:, None] * gap + torch.arange(length)]


# --8<-- [end:windows]
