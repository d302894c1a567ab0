"""One's own input in the programs' box: the browser computes what Python does, and says what is wrong."""

import itertools
import random

import numpy as np
import pytest
import torch

from snippets.icl.networks import program_arithmetic as arithmetic
from snippets.icl.networks import program_library as library

pytestmark = [pytest.mark.results, pytest.mark.browser]
BETAS = (0.0, 3.0, 8.0, 20.0)
NAME = "run_a_program"


@pytest.fixture
def figure(mounted):
    return mounted(NAME)


def lists(most: int, below: int) -> list[list[int]]:
    draw = random.Random(0)
    return [[draw.randrange(below) for _ in range(n)] for n in (1, 2, 5, most)]


def test_lists_give_the_numbers_of_python(figure):
    look = "m.lookUp(digits.map((_, i) => i), digits, digits.length - 1, beta)"
    all_four = f"[m.count(digits), m.sort(digits, beta), m.move(digits, 2, beta), {look}]"
    call = f"(m, given) => given.map(([digits, beta]) => {all_four})"
    given = list(itertools.product(lists(15, 10), BETAS))
    for (digits, beta), found in zip(given, figure.compute(NAME, call, given), strict=True):
        n = len(digits)
        expected = [
            library.count(digits),
            library.sort(digits, beta),
            library.move(digits, 2, beta),
            library.look_up(range(n), digits, n - 1, n, beta),
        ]
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one["answer"], np.atleast_1d(other.answer.numpy()), atol=1e-9)
            heads = [pattern.numpy() for pattern in other.patterns]
            np.testing.assert_allclose(one["patterns"], heads, atol=1e-9)


def test_pointers_give_the_shares_of_python(figure):
    given = [
        (pointers, hops, double, beta)
        for pointers in ([0], [1, 0], [2, 2, 2, 0], [3, 5, 0, 4, 1, 2])
        for hops, double, beta in itertools.product((0, 1, 3, 6), (True, False), BETAS)
    ]
    call = "(m, given) => given.map((g) => [m.chase(...g), m.layersNeeded(g[1], g[2])])"
    for (pointers, hops, double, beta), (found, layers) in zip(given, figure.compute(NAME, call, given), strict=True):
        assert layers == library.layers_needed(hops, double)
        expected = library.chase(pointers, hops, layers, double, beta)
        np.testing.assert_allclose(found["answer"], expected.answer.numpy(), atol=1e-9)
        heads = [pattern.numpy() for pattern in expected.patterns]
        assert len(heads) == len(found["patterns"])
        for one, other in zip(found["patterns"], heads, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-9)


def test_products_and_quotients_are_those_of_python(figure):
    given = [(a, b, s) for a, b in ((6.0, 7.0), (-3.5, 0.25), (40.0, 900.0)) for s in (1e-6, 1e-4, 1e-2, 1.0)]
    found = figure.compute(NAME, "(m, g) => g.map((x) => [m.multiply(...x), m.divide(...x)])", given)
    for (a, b, scale), (product, quotient) in zip(given, found, strict=True):
        x, y = torch.tensor([[a], [b]], dtype=torch.float64)
        slack = 1e-9 + 1e-14 * (abs(a) + abs(b)) / scale  # both round, each in its own way
        assert product == pytest.approx(arithmetic.multiply(x, y, scale).item(), abs=slack, rel=1e-9)
        assert quotient == pytest.approx(arithmetic.divide(x, y, scale).item(), rel=1e-9)


def test_erf_is_that_of_torch(figure):
    x = np.linspace(-7, 7, 141)
    found = figure.compute(NAME, "(m, xs) => xs.map(m.erf)", x.tolist())
    np.testing.assert_allclose(found, torch.erf(torch.from_numpy(x)).numpy(), atol=1e-14)


def use(figure, program: str, text: str | None = None) -> str:
    figure.page.get_by_label("Program").select_option(program)
    if text is not None:
        figure.page.get_by_label("Your input").fill(text)
    return figure.note


def test_a_reader_runs_each_program(figure):
    assert figure.note.startswith("Answer: 6.99")
    assert use(figure, "move", "3 1 4").startswith("Answer: 2.999")
    assert use(figure, "count", "7 7 7 1").startswith("Answer: 3, 3, 3, 1")
    use(figure, "sort", "5 0 5 2")
    figure.slide("β", 20)
    assert figure.note.startswith("Answer: ") and "Largest error" in figure.note
    assert figure.page.locator("svg").count() == 2
    assert "Layers: 5" in use(figure, "follow pointers, one by one") and "all right" in figure.note
    assert "Layers: 3" in use(figure, "follow pointers, doubling") and "all right" in figure.note
    figure.slide("β", 0)
    assert "not all right" in figure.note
    assert use(figure, "multiply", "6 7").startswith("Answer: 42")
    assert use(figure, "divide", "6 8").startswith("Answer: 0.75")
    figure.slide("Scale", -1)
    assert "Answer: 0.747" in figure.note


@pytest.mark.parametrize(
    ("program", "text", "says"),
    [
        ("look up", "red 3, blue 7", "semicolon"),
        ("look up", "red 3, red 7; red?", "twice"),
        ("look up", "red 3; blue?", "not among the keys"),
        ("look up", "red three; red?", "not a number"),
        ("sort", "", "empty"),
        ("sort", "1 2 x", "“x” is not a number"),
        ("sort", "12", "from 0 to 9"),
        ("count", "1 " * 17, "17 numbers are too many: there are 16 places"),
        ("move", "Infinity", "not a number"),
        ("follow pointers, doubling", "2 9 1", "9 is no place"),
        ("follow pointers, one by one", "1.5", "whole"),
        ("multiply", "6", "Type two numbers"),
        ("divide", "6 0", "Division by 0"),
        ("divide", "6 -2", "no sign"),
    ],
)
def test_bad_input_is_said_and_leaves_it_usable(figure, program, text, says):
    assert says in use(figure, program, text)
    assert figure.page.locator(".touch-failed").count() == 1
    assert use(figure, "count", "3 1 1").startswith("Answer: 1, 2, 2")
    assert figure.page.locator(".touch-failed").count() == 0


@pytest.mark.parametrize("program", ["look up", "sort", "follow pointers, doubling", "divide"])
def test_it_is_accessible_and_fits(figure, program):
    use(figure, program)
    assert figure.problems() == []
