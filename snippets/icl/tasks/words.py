"""Real text as words: files of source code that repeat themselves, a small vocabulary in
which no word is unknown, and windows that never cross from one file into the next.

A word is a run of letters, a run of digits, the end of a line with the indent after it,
or any other single sign. The commonest words have a number each. The rest share some
buckets, by a hash: two rare words may look alike, but a name that comes again always
looks like itself, and so can be copied.
"""

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Generator, Tensor

from snippets.icl.tasks.real_text import Document, corpus, documents, sympy_folder

WORD = re.compile(r"\n *|[A-Za-z]+|[0-9]+|[^ \t\r\n]")
PARTS_OF_SYMPY = (
    *("core", "functions", "geometry", "integrals", "matrices"),
    *("ntheory", "physics", "solvers", "stats"),
)
SHA256 = "0d65d10c64cbcbff86a420b349952f778b3e3143af4d79af8bbe5ff49fc5a518"


@cache
def more_code() -> list[Document]:
    """Nine folders of SymPy's source without tests; every tenth file is held out.
    Enough that a short training meets hardly any of it twice."""
    folder = sympy_folder()
    paths = sorted(
        path
        for part in PARTS_OF_SYMPY
        for path in (folder / part).rglob("*.py")
        if not {"tests", "benchmarks"} & set(path.parts)
    )
    names = [path.relative_to(folder).as_posix() for path in paths]
    return documents(
        [(n, path, i % 10 == 5) for i, (n, path) in enumerate(zip(names, paths))],
        "the code",
        SHA256,
    )


class Words(NamedTuple):
    """A corpus as rows of word numbers, one row a document."""

    trained: list[Int[Tensor, "_"]]
    held_out: list[Int[Tensor, "_"]]
    common: list[str]  # the words that have a number of their own, by that number


# --8<-- [start:vocabulary]
def split(text: str) -> list[str]:
    """The words of a text; blanks between them are dropped."""
    return WORD.findall(text)


def number(word: str, common: dict[str, int], n_vocab: int) -> int:
    """A common word's own number, or the bucket that its hash names."""
    n_buckets = n_vocab - len(common)
    return common.get(word, len(common) + zlib.crc32(word.encode()) % n_buckets)


# --8<-- [end:vocabulary]


def numbered(texts: Sequence[Document], n_vocab: int) -> Words:
    """Half of the numbers for the commonest words of the training text, half buckets."""
    if n_vocab < 2:
        raise ValueError(f"a vocabulary of {n_vocab} is none: take 2 words or more")
    words = [(split(one.text), one.held_out) for one in texts]
    counts = Counter(w for some, kept in words if not kept for w in some)
    if not counts:
        raise ValueError("there is no text to count words in: give some to train on")
    common = {w: i for i, (w, _) in enumerate(counts.most_common(n_vocab // 2))}
    every = {w: number(w, common, n_vocab) for some, _ in words for w in some}
    rows = [
        (torch.tensor([every[w] for w in some], dtype=torch.long), kept)
        for some, kept in words
    ]
    return Words(
        [row for row, kept in rows if not kept],
        [row for row, kept in rows if kept],
        list(common),
    )


@cache
def words(name: str, n_vocab: int) -> Words:
    """The words of "code", "novel" or "speeches". Raises ValueError for another name."""
    return numbered(more_code() if name == "code" else corpus(name), n_vocab)


# --8<-- [start:windows]
class Windows:
    """All windows of `length` words that lie within one document, to draw from."""

    def __init__(self, rows: Sequence[Int[Tensor, "_"]], length: int) -> None:
        long = [row for row in rows if len(row) >= length]
        if not long:
            raise ValueError(
                f"a window of {length} words is longer than each of the {len(rows)} "
                "texts: take a shorter one"
            )
        begins = accumulate((len(row) for row in long[:-1]), initial=0)
        self.row, self.length = torch.cat(long), length
        self.starts = torch.cat(
            [
                begin + torch.arange(len(row) - length + 1)
                for begin, row in zip(begins, long)
            ]
        )

    def draw(self, n: int, generator: Generator) -> Int[Tensor, "window word"]:
        which = torch.randint(len(self.starts), (n,), generator=generator)
        return self.row[self.starts[which][:, None] + torch.arange(self.length)]


# --8<-- [end:windows]


# --8<-- [start:device]
def come_round_again(
    windows: Int[Tensor, "window word"], n: int, generator: Generator
) -> Int[Tensor, "window word"]:
    """The device: in the first n windows the first words, between 21 and 64 of them,
    are shown again and again until the window is full."""
    length = torch.randint(21, 65, (n, 1), generator=generator)
    place = torch.arange(windows.shape[1]) % length  # (n, word)
    return torch.cat([windows[:n].gather(1, place), windows[n:]])


# --8<-- [end:device]
