"""Seeds as people write them: 0-4, or 0,2,7."""

import re

from snippets.book.errors import UsageError

DEFAULT_SEEDS = [0, 1, 2, 3, 4]  # what the book reports


def parse(text: str) -> list[int]:
    """The seeds a text names, in its order. Raises UsageError where it is empty, malformed or names a seed twice."""
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,9})(?:-(\d{1,9}))?\s*", part)
        if not match:
            raise UsageError(f"seeds '{text}' cannot be read at '{part}': write 0-4, or 0,2,7")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise UsageError(f"seeds '{part.strip()}' run backwards: write {last}-{first}")
        if last - first >= 10_000:
            raise UsageError(f"seeds '{part.strip()}' are {last - first + 1} seeds: write at most 10000")
        seeds += range(first, last + 1)
    if len(set(seeds)) < len(seeds):
        twice = next(seed for seed in seeds if seeds.count(seed) > 1)
        raise UsageError(f"seeds '{text}' name seed {twice} twice: name each once")
    return seeds


def spell(seeds: list[int]) -> str:
    """The shortest text that `parse` reads back as these seeds."""
    if len(seeds) > 1 and seeds == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]}-{seeds[-1]}"
    return ",".join(map(str, seeds))
