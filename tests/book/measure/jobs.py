"""What the tests of the pool have its workers do."""

import os
import signal
import time
from pathlib import Path

from snippets.book.errors import BookError
from snippets.progress import steps


def square(x: int) -> int:
    return x * x


def process(pause: float) -> int:
    for _ in steps(4):
        time.sleep(pause / 4)
    return os.getpid()


def refuse() -> None:
    raise BookError("part/name: it cannot be; mend it")


def stumble() -> None:
    raise ZeroDivisionError("by nought")


def die(times: str) -> int:
    """Be killed as often as there are letters left in a file."""
    path = Path(times)
    left = path.read_text(encoding="utf-8")
    if left:
        path.write_text(left[1:], encoding="utf-8")
        os.kill(os.getpid(), signal.SIGKILL)
    return 7
