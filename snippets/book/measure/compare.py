"""Two measurements of one thing: equal to the last bit, or what differs."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np


class Difference(NamedTuple):
    """Where two measurements differ most."""

    name: str  # with the place in the array
    was: str
    now: str
    by: float  # the largest difference; infinity where they cannot be compared

    def __str__(self) -> str:
        return f"measurement {self.name} is {self.now} and was {self.was}"


def differences(was: Mapping[str, np.ndarray], now: Mapping[str, np.ndarray]) -> list[Difference]:
    """Each measurement that is not equal to the last bit, the largest difference first."""
    found = [difference(name, was.get(name), now.get(name)) for name in sorted({*was, *now})]
    return sorted((one for one in found if one), key=lambda one: -one.by)


def difference(name: str, was: np.ndarray | None, now: np.ndarray | None) -> Difference | None:
    """How one measurement differs; None where it does not."""
    if was is None or now is None:
        return Difference(name, kind(was), kind(now), np.inf)
    was, now = np.asarray(was), np.asarray(now)
    if was.dtype != now.dtype or was.shape != now.shape:
        return Difference(name, kind(was), kind(now), np.inf)
    if was.tobytes() == now.tobytes():
        return None
    one, other = was.astype(float).ravel(), now.astype(float).ravel()
    with np.errstate(invalid="ignore"):
        apart = np.where(one == other, 0.0, np.nan_to_num(np.abs(one - other), nan=np.inf))
    most = int(apart.argmax())
    at = f" at {[int(i) for i in np.unravel_index(most, was.shape)]}" if was.ndim else ""
    return Difference(name + at, repr(float(one[most])), repr(float(other[most])), float(apart[most]))


def kind(array: np.ndarray | None) -> str:
    return "absent" if array is None else f"{array.dtype} of shape {array.shape}"


def newly_failing(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The claims that hold before and not after."""
    held = {claim["id"] for claim in before if claim["holds"]}
    return [claim for claim in after if claim["id"] in held and not claim["holds"]]
