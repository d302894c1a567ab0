"""A measured number as a reader would say it."""

import pytest

from snippets.book.errors import BookError
from snippets.book.pages import printed, said


def claim(*values, unit="", digits=2, kind="measured", passed=None) -> dict:
    numbers = [float("inf") if value == "never" else value for value in values]
    ordered = sorted(range(len(values)), key=lambda place: numbers[place])
    at = {"low": 0, "median": len(values) // 2, "high": -1}
    found = {key: values[ordered[place]] for key, place in at.items()}
    passed = [True] * len(values) if passed is None else passed
    return {
        "values": list(values), "unit": unit, "digits": digits, "kind": kind, "passed": passed,
        "applies": len(values), **found,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "every prompt"),
        (0, "no prompt"),
        (0.999, "more than 99 prompts in 100"),
        (0.004, "less than one prompt in 100"),
        (0.982, "98 prompts in 100"),
        (0.01, "one prompt in 100"),
        (0.9, "nine prompts in ten"),
        (0.11, "one prompt in ten"),
        (0.5, "half of the prompts"),
        (0.25, "25 prompts in 100"),
    ],
)
def test_a_share(value, text):
    assert said.say(claim(*[value] * 5), [0, 1, 2, 3, 4], "share", "prompt") == text


@pytest.mark.parametrize(
    ("form", "made", "text"),
    [
        ("value", claim(1050, 1250, 1300, unit="steps", digits=4), "1,250 steps"),
        ("value", claim(1050, 1250, "never", unit="steps", digits=4), "1,250 steps (seed 2 never)"),
        ("value", claim(1050, "never", "never", unit="steps"), "never"),
        ("range", claim(1050, 1400, "never", unit="steps", digits=4), "1,050 to 1,400 steps (seed 2 never)"),
        ("range", claim(3, 3, 3, unit="heads"), "3 heads"),
        ("range", claim("never", "never", "never"), "never"),
        ("range", claim(360, "never", "never", unit="steps"), "360 steps (seeds 1 and 2 never)"),
        ("about", claim(1234, 1234, 1234, unit="steps", digits=4), "about 1,200 steps"),
        ("percent", claim(0.982, 0.982, 0.982), "98 %"),
        ("percent", claim(0.001, 0.001, 0.001), "under 1 %"),
        ("percent", claim(0.999, 0.999, 0.999), "over 99 %"),
        ("percent", claim(1, 1, 1), "100 %"),
        ("times", claim(0.0714, 0.0714, 0.0714), "a fourteenth"),
        ("times", claim(2.03, 2.03, 2.03), "twice"),
        ("times", claim(3.2, 3.2, 3.2), "3.2 times"),
        ("seeds", claim(1, 1, 1), "all three seeds"),
        ("seeds", claim(1, 1, 0, passed=[True, True, False]), "two seeds of three"),
        ("interval", claim(1, 2, 3), "2 (95 % interval −0.48 to 4.5)"),  # 2 -+ 4.303 / sqrt(3)
        ("value", claim(1e-7, 2e-7, 3e-7, kind="exact"), "3.0 × 10<sup>−7</sup> at most"),
    ],
)
def test_the_other_forms(form, made, text):
    assert said.say(made, [0, 1, 2], form, "") == text


@pytest.mark.parametrize(
    ("form", "made", "why"),
    [
        ("loud", claim(1), "none of value, range"),
        ("share", claim(1), "needs the thing that is counted"),
        ("percent", claim(1.5), "is no share"),
        ("interval", claim(1), "three seeds at least"),
        ("about", claim(1, kind="exact"), "has one form"),
    ],
)
def test_a_form_that_does_not_fit_is_told(form, made, why):
    with pytest.raises(BookError, match=why):
        said.say(made, [0], form, "")


CODE = '''def mean(x, n):
    """The mean of n draws. Raises ValueError for n below 1."""
    if n < 1:
        raise ValueError(
            f"no mean of {n} draws"
        )
    if n == 1:
        return x
    return x / n
'''


def test_a_listing_leaves_out_the_checks_of_arguments_and_nothing_else():
    shorter = printed.without_checks(CODE)
    assert shorter.splitlines() == [
        "def mean(x, n):", '    """The mean of n draws."""', "    if n == 1:", "        return x", "    return x / n",
    ]  # fmt: skip
    assert printed.without_checks("    half a )") == "    half a )"
