"""A measured number as a reader would say it: in every prompt, a fourteenth, 1,050 to 1,400 steps; seed 3 never.

The range, the mark and the predicate are one hover away (`numbers.judged`), and stand in the ledger.
"""

from collections.abc import Callable
from statistics import fmean, stdev
from typing import Any

from scipy.special import stdtrit  # quantiles of Student's t; scipy.stats takes a second longer to import

from snippets.book.errors import BookError
from snippets.book.pages.numbers import shown

Claim = dict[str, Any]
COUNT = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
PARTS = {
    2: "half", 3: "a third", 4: "a quarter", 5: "a fifth", 6: "a sixth", 7: "a seventh", 8: "an eighth", 9: "a ninth",
    10: "a tenth", 11: "an eleventh", 12: "a twelfth", 13: "a thirteenth", 14: "a fourteenth", 15: "a fifteenth",
    16: "a sixteenth", 18: "an eighteenth", 20: "a twentieth", 25: "a twenty-fifth", 30: "a thirtieth",
    50: "a fiftieth", 100: "a hundredth", 1000: "a thousandth",
}  # fmt: skip


def say(claim: Claim, seeds: list[int], form: str, noun: str) -> str:
    """The words for a claim's value. Raises BookError for a form that does not exist or does not fit the value."""
    if form not in FORMS:
        raise BookError(f"show='{form}' is none of {', '.join((*FORMS, 'mark'))}")
    if form in ("share", "seeds"):
        return FORMS[form](claim, seeds, noun)
    if claim["kind"] == "exact" and form != "value":
        raise BookError(f"an exact claim has one form, its largest error; show='{form}' does not fit it")
    return FORMS[form](claim, seeds, noun) + unreached(claim, seeds, form)


def value(claim: Claim, seeds: list[int], noun: str) -> str:
    """The median and its unit; of an exact claim the largest error."""
    if claim["kind"] == "exact":
        return f"{number(claim['high'], claim['digits'])}{unit(claim)} at most"
    found = median(claim)
    return found if isinstance(found, str) else f"{number(found, claim['digits'])}{unit(claim)}"


def spread(claim: Claim, seeds: list[int], noun: str) -> str:
    """From the least to the largest, over the seeds that reach it."""
    found = sorted(reached(claim))
    if not found:
        return "never"
    low, high = (number(found[place], claim["digits"]) for place in (0, -1))
    return f"{low}{unit(claim)}" if low == high else f"{low} to {high}{unit(claim)}"


def interval(claim: Claim, seeds: list[int], noun: str) -> str:
    """The mean over the seeds, with the interval that Student's t gives it. It covers what the seeds draw: no more."""
    found = reached(claim)
    if len(found) < 3 or len(found) < len(claim["values"]):
        raise BookError("show='interval' needs a number from every seed, and three seeds at least")
    mean, half = fmean(found), float(stdtrit(len(found) - 1, 0.975)) * stdev(found) / len(found) ** 0.5
    low, high = (number(end, claim["digits"]) for end in (mean - half, mean + half))
    return f"{number(mean, claim['digits'])}{unit(claim)} (95 % interval {low} to {high})"


def about(claim: Claim, seeds: list[int], noun: str) -> str:
    """The median, to two digits at most."""
    found = median(claim)
    return found if isinstance(found, str) else f"about {number(float(f'{found:.2g}'), 2)}{unit(claim)}"


def percent(claim: Claim, seeds: list[int], noun: str) -> str:
    return percentage(share_of(claim))


def percentage(found: float) -> str:
    if 0 < found < 0.005:
        return "under 1 %"
    if 0.995 <= found < 1:
        return "over 99 %"
    return f"{100 * found:.0f} %"


def share(claim: Claim, seeds: list[int], noun: str) -> str:
    """A share of things: every prompt, nine prompts in ten, no prompt."""
    if not noun:
        raise BookError("show='share' needs the thing that is counted, such as noun='prompt'")
    found = share_of(claim)
    if found in (0, 1):
        return f"every {noun}" if found else f"no {noun}"
    if found < 0.005:
        return f"less than one {noun} in 100"
    if found >= 0.995:
        return f"more than 99 {noun}s in 100"
    if abs(found - 0.5) < 0.005:
        return f"half of the {noun}s"
    tenths = round(10 * found)
    if abs(10 * found - tenths) <= 0.15 and 0 < tenths < 10:
        return f"{COUNT[tenths]} {noun}{'s' if tenths > 1 else ''} in ten"
    hundredths = round(100 * found)
    return f"{hundredths if hundredths > 1 else 'one'} {noun}{'s' if hundredths > 1 else ''} in 100"


def times(claim: Claim, seeds: list[int], noun: str) -> str:
    """A ratio: twice, 3.2 times, a fourteenth, 0.42 times."""
    found = median(claim)
    if isinstance(found, str):
        return found
    if 1.9 < found < 2.1:
        return "twice"
    if 0 < found < 0.6:
        near = min(PARTS, key=lambda n: abs(1 / n - found))
        if abs(1 / near - found) <= 0.08 * found:
            return PARTS[near]
    return f"{number(found, claim['digits'])} times"


def on_seeds(claim: Claim, seeds: list[int], noun: str) -> str:
    """On how many seeds it holds: all five seeds, four seeds of five."""
    on, of = sum(passed is True for passed in claim["passed"]), claim["applies"]
    if of >= len(COUNT):
        return f"{on} of {of} seeds"
    return f"all {COUNT[of]} seeds" if on == of else f"{COUNT[on]} seed{'s' if on != 1 else ''} of {COUNT[of]}"


FORMS: dict[str, Callable[[Claim, list[int], str], str]] = {
    "value": value, "range": spread, "about": about, "percent": percent, "share": share, "times": times,
    "seeds": on_seeds, "interval": interval,
}  # fmt: skip


def reached(claim: Claim) -> list[float]:
    """The values that are numbers: not those of a seed that never got there, or to which the claim does not apply."""
    return [found for found in claim["values"] if isinstance(found, (int, float))]


def unreached(claim: Claim, seeds: list[int], form: str) -> str:
    """The seeds that never got there, said behind the number; nothing where none did."""
    never = [str(seed) for seed, found in zip(seeds, claim["values"], strict=True) if found == "never"]
    said_already = claim["median"] == "never" and (form != "range" or not reached(claim))
    if not never or claim["kind"] == "exact" or said_already:
        return ""
    listed = never[0] if len(never) == 1 else f"{', '.join(never[:-1])} and {never[-1]}"
    return f" (seed{'s' if len(never) > 1 else ''} {listed} never)"


def median(claim: Claim) -> float | str:
    return "nowhere" if claim["median"] is None else claim["median"]


def share_of(claim: Claim) -> float:
    found = median(claim)
    if isinstance(found, str) or not 0 <= found <= 1:
        raise BookError(f"{found} is no share: it does not lie between 0 and 1")
    return found


def number(found: float | str | None, digits: int) -> str:
    return "nowhere" if found is None else shown(found, digits)


def unit(claim: Claim) -> str:
    return f" {claim['unit']}" if claim["unit"] else ""
