"""One build at a time. The system lets go of the lock when the process that holds it ends, however it ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from snippets.book.errors import BookError
from snippets.book.paths import BUILD


@contextmanager
def alone(wait: bool = False) -> Iterator[None]:
    """Hold the build to ourselves. Raises BookError where another process does."""
    try:
        import fcntl
    except ImportError:
        raise BookError("building the book needs Linux or macOS; on Windows, run it in WSL") from None
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise BookError(
                f"another build is running (process {holder}); wait for it, or stop it, and run again"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
