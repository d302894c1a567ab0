"""A walk over words and the plane that one round of mixing puts them in: all in the browser, from no data."""

from typing import Any


def data(runs: Any) -> dict[str, Any]:
    """Nothing: words, walk and vectors are drawn where they are looked at."""
    return {}
