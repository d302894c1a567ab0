"""Passages for the rule of the longest earlier match: held-out text of the three corpora."""

from typing import Any

from snippets.icl.tasks.real_text import corpus
from snippets.icl.tasks.words import more_code

LENGTH = 900  # letters of a passage
# which held-out document, and the words with which its passage begins
PASSAGES = {
    "source code": ("matrices/expressions/transpose.py", "class Transpose"),
    "a novel": ("chapter 15", "It was quite late"),
    "a speech": ("1865", ""),
}


def passage(document: str, begin: str) -> str:
    """LENGTH letters of a document, cut at the end of a word."""
    texts = {one.name: one.text for one in (*corpus("novel"), *more_code())}
    texts |= {one.name[:4]: one.text for one in corpus("speeches")}
    if document not in texts:
        raise ValueError(f"no document '{document}': choose one of the corpora")
    text = texts[document].replace("\r", "")
    start = text.find(begin)
    if start < 0:
        raise ValueError(f"'{begin}' does not stand in {document}: choose other words")
    return text[start : start + LENGTH].rsplit(None, 1)[0]


def data(runs: Any) -> dict[str, Any]:
    """What the figure needs. Nothing in it is measured, so it takes nothing from `runs`."""
    return {"passages": {name: passage(*told) for name, told in PASSAGES.items()}}
