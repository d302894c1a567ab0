"""Count the steps of a loop, for whoever is watching it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_watcher: Callable[[float], None] | None = None


def steps(n: int, *, loop: int = 0, of: int = 1) -> Iterator[int]:
    """Like range(n). An experiment with several loops says which one this is: steps(n,
    loop=1, of=3).
    """
    for step in range(n):
        yield step
        if _watcher is not None:
            _watcher((loop + (step + 1) / n) / of)


@contextmanager
def watched_by(watcher: Callable[[float], None]) -> Iterator[None]:
    """Tell `watcher` the share of the work that is done, after every step."""
    global _watcher
    before, _watcher = _watcher, watcher
    try:
        yield
    finally:
        _watcher = before
