"""Where the same is asked of many, a commit asks it of some, and another commit of others, as the audit does. With
EVERY_CASE=1, as in the weekly run, it is asked of all.
"""

import hashlib
import os
from collections.abc import Sequence

from snippets.book.measure import machine


def of_this_commit(cases: Sequence, n: int) -> list:
    """n of the cases, in their order, drawn by the commit's hash; all of them where EVERY_CASE is set."""
    if os.environ.get("EVERY_CASE"):
        return list(cases)
    commit = machine.commit().rstrip("+")
    places = sorted(range(len(cases)), key=lambda i: hashlib.sha256(f"{commit} {cases[i]}".encode()).hexdigest())
    return [cases[i] for i in sorted(places[:n])]
