"""The hand-built head in the browser: its maps are the network's of Python, and every knob is usable."""

import itertools

import numpy as np
import pytest
import torch

from snippets.icl.networks.induction_head import induction_head
from snippets.induction_heads import by_hand

pytestmark = [pytest.mark.results, pytest.mark.browser]

GRID = [
    (n, k, alpha, beta, rest)
    for n, alpha, beta, rest in itertools.product((1, 2, 8), (0.0, 4.0, 20.0), (-2.0, 1.0, 12.0), ("start", "spread"))
    for k in {1, n}
]


@pytest.fixture
def figure(mounted):
    return mounted("by_hand")


def of_python(n: int, k: int, alpha: float, beta: float, rest: str) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Both maps and the logits of the context's labels, from the book's own network."""
    contents = torch.eye(2 * n, dtype=torch.float64)
    model = induction_head(contents, 2 * n + 1, alpha, beta, 8.0, rest)
    tokens = torch.tensor([[t for pair in range(n) for t in (pair, n + pair)] + [k - 1]])
    logits, attention = model(tokens)
    return attention[0][0][0].numpy(), attention[1][0][0].numpy(), logits[0, -1, n:].tolist()


def whole(rows: list[list[float]]) -> np.ndarray:
    return np.array([row + [0.0] * (len(rows) - len(row)) for row in rows])


def test_maps_and_logits_are_those_of_python(figure):
    found = figure.compute("by_hand", "({ network }, grid) => grid.map((g) => network(...g))", GRID)
    for setting, one in zip(GRID, found, strict=True):
        first, second, logits = of_python(*setting)
        np.testing.assert_allclose(whole(one["first"]), first, atol=1e-9, err_msg=str(setting))
        np.testing.assert_allclose(whole(one["second"]), second, atol=1e-9, err_msg=str(setting))
        np.testing.assert_allclose(one["logits"], logits, atol=1e-9, err_msg=str(setting))


def test_the_formulas_are_those_of_python_and_of_the_network(figure):
    call = """({ attentionOnAnswer, attentionWithLeaks, heldByLabel, network }, grid) =>
      grid.map(([n, k, a, b, rest]) => [
        rest === 'start' ? attentionOnAnswer(a, heldByLabel(b, k), n) : attentionWithLeaks(a, b, k, n),
        network(n, k, a, b, rest).z])"""
    for (n, k, alpha, beta, rest), (formula, z) in zip(GRID, figure.compute("by_hand", call, GRID), strict=True):
        expected = (
            by_hand.attention_on_answer(alpha, by_hand.held_by_label(beta, k), n)
            if rest == "start"
            else by_hand.attention_with_leaks(alpha, beta, k, n)
        )
        assert formula == pytest.approx(expected, abs=1e-12) and z == pytest.approx(formula, abs=1e-9)


def test_how_many_pairs_are_right(figure):
    call = "({ rightPairs }, grid) => grid.map((g) => rightPairs(...g))"
    settings = [(8, 4.0, 2.0, "start"), (8, 4.0, 2.0, "spread"), (8, 4.0, -2.0, "spread"), (5, 10.0, 0.0, "spread")]
    expected = [
        sum(int(np.argmax(of_python(n, k, *rest)[2])) == k - 1 for k in range(1, n + 1)) for n, *rest in settings
    ]
    assert figure.compute("by_hand", call, settings) == expected
    assert expected[2] == 1  # the chapter: well below 0 only the last pair is safe


def test_a_reader_turns_the_knobs(figure):
    assert "z = " in figure.note and "right for 4 of 4" in figure.note
    figure.slide("N, pairs", 8)
    assert figure.page.locator("svg").first.locator("text").count() == 2 * 18
    figure.slide("k, asked for", 8)
    assert figure.note.startswith("Label 8 holds")
    figure.slide("N, pairs", 3)  # there is no pair 8 any more
    assert figure.note.startswith("Label 3 holds") and figure.errors == []
    figure.page.get_by_label("β, layer 1").focus()
    before = figure.note
    figure.page.keyboard.press("ArrowLeft")
    assert figure.note != before
    figure.page.get_by_label("The rest of layer 1").select_option("spread")
    figure.slide("β, layer 1", -2)
    assert "right for 1 of 3" in figure.note


@pytest.mark.parametrize("bad", ["NaN", "", "9999", "-1e400", "two"])
def test_bad_input_leaves_it_usable(figure, bad):
    for name in ("α, layer 2", "N, pairs", "k, asked for"):
        figure.slide(name, bad)  # type: ignore[arg-type]
    assert "NaN" not in figure.note
    figure.slide("N, pairs", 4)
    assert "right for" in figure.note


def test_what_is_no_number_is_said(figure):
    figure.not_a_number("α, layer 2")
    assert figure.note == "Alpha is not a number."
    figure.slide("α, layer 2", 3)
    assert "right for" in figure.note


def test_it_is_accessible_and_fits(figure):
    figure.slide("N, pairs", 8)
    assert figure.problems() == []
