"""How a measured number is printed: significant digits, thin signs, and the range over the seeds."""

from typing import Any

RAISED = str.maketrans("0123456789−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def shown(value: float | str, digits: int) -> str:
    """A number to that many significant digits, without exponent where it can be read without."""
    if isinstance(value, str):
        return value
    if value == int(value) and abs(value) < 1e7:
        return f"{int(value):,}".replace("-", "−")
    if 1e-3 <= abs(value) < 1e7:
        rounded = float(f"{value:.{digits}g}")
        decimals = max(0, digits - len(f"{abs(int(rounded))}")) if abs(rounded) >= 1 else None
        text = f"{rounded:,.{decimals}f}" if decimals is not None else f"{rounded:.{digits}g}"
        return text.replace("-", "−")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa} × 10<sup>{int(exponent)}</sup>".replace("-", "−")


def plain(text: str) -> str:
    """The same where there can be no HTML, as in an alt text."""
    before, _, rest = text.partition("<sup>")
    exponent, _, after = rest.partition("</sup>")
    return before + exponent.translate(RAISED) + after


def spread(claim: dict[str, Any]) -> str:
    """Median and range over the seeds, with the unit; of an exact claim the largest error."""
    median, low, high = (
        "nowhere" if claim[key] is None else shown(claim[key], claim["digits"]) for key in ("median", "low", "high")
    )
    unit = f" {claim['unit']}" if claim["unit"] else ""
    if claim["kind"] == "exact":
        return f"{high}{unit} at most"
    return f"{median}{unit}" if low == high else f"{median}{unit} ({low} to {high})"


def held(claim: dict[str, Any]) -> tuple[int, int]:
    """On how many seeds a claim holds, and to how many it applies."""
    return sum(passed is True for passed in claim["passed"]), claim["applies"]


def mark(claim: dict[str, Any], short: bool = False) -> str:
    """The few letters behind a number: ✓ 4/5, exact, or how many of those to which it applies.

    Short, a claim that holds on every seed has its ✓ alone.
    """
    on, of = held(claim)
    sign = "✓" if claim["holds"] else "✗"
    if short and claim["holds"]:
        return "✓" if on == of else f"✓ {on}/{of}"
    if claim["kind"] == "exact":
        return "exact" if claim["holds"] else "✗ exact"
    return f"{sign} {on}/{of}" if of == len(claim["passed"]) else f"{sign} {on} of {of} where it applies"


def judged(claim: dict[str, Any]) -> str:
    """What the mark says when pointed at: the sentence, its predicate, the range, the seeds and the verdict."""
    on, of = held(claim)
    unit = f" {claim['unit']}" if claim["unit"] else ""
    if claim["kind"] == "exact":
        return f"{claim['says']} Exact: the largest error is {worst(claim)}{unit} (asked: {claim['predicate']})."
    applying = "" if of == len(claim["passed"]) else f" to which it applies, of {len(claim['passed'])}"
    return (
        f"{claim['says']} Asked: {claim['predicate']}{unit}. Measured: {plain(spread(claim))}. "
        f"Holds on {on} of {of} seeds{applying}; {claim['verdict']}."
    )


def worst(claim: dict[str, Any]) -> str:
    return "unknown" if claim["high"] is None else plain(shown(claim["high"], claim["digits"]))
