"""The wait in the browser: its times are Python's, and a reader can collect points and read off the power."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from snippets.icl.theory.head_flow import velocity
from snippets.icl.theory.three_exponentials import loss

pytestmark = [pytest.mark.results, pytest.mark.browser]

SIZES = [(2, 8, 0.01), (4, 16, 0.01), (8, 8, 0.1), (8, 9, 0.001), (16, 128, 0.0001), (32, 48, 0.01)]


def wait(n: int, n_labels: int, size: float) -> float:
    """When the right label has one half, by another integrator."""

    def half(t: float, theta: np.ndarray) -> float:
        return math.exp(-float(loss(torch.from_numpy(theta), n, n_labels))) - 0.5

    half.terminal = True
    start = np.full(3, size)
    found = solve_ivp(
        lambda t, theta: velocity(theta, n, n_labels), (0, 1e5), start, "LSODA", events=half, rtol=1e-9, atol=1e-12
    )
    return float(found.t_events[0][0])


@pytest.fixture
def figure(mounted):
    return mounted("wait")


def test_the_wait_is_that_of_python(figure):
    found = figure.compute("wait", "({ wait }, sizes) => sizes.map((one) => wait(...one))", SIZES)
    np.testing.assert_allclose(found, [wait(*one) for one in SIZES], rtol=2e-4)


def test_the_power_is_that_of_a_straight_line(figure):
    call = "({ exponent }, points) => exponent(points)"
    points = [[n, 3 * n**1.4] for n in (2, 5, 9)]
    assert figure.compute("wait", call, points) == pytest.approx(1.4)
    assert figure.compute("wait", call, [[4, 10], [4, 20]]) is None
    assert figure.compute("wait", call, []) is None


@pytest.mark.parametrize(
    "given, said",
    [
        ([1, 4, 0.1], "N is 1"),
        ([4, 3, 0.1], "L is 3"),
        ([4, 8, 0], "The start is 0"),
        ([2.5, 8, 0.1], "N is 2.5"),
    ],
)
def test_sizes_that_cannot_be_are_said(figure, given, said):
    call = "({ wait }, one) => { try { return String(wait(...one)); } catch (error) { return error.message; } }"
    assert figure.compute("wait", call, given).startswith(said)


def test_a_reader_collects_points_and_finds_the_power(figure):
    press = figure.page.get_by_role("button", name="Keep this point").click
    waits = []
    for n in (8, 16, 32):
        figure.slide("N, pairs in a prompt", n)
        press()
        waits.append(wait(n, 4 * n, 0.01))
    power = np.polyfit(np.log([8, 16, 32]), np.log(waits), 1)[0]
    assert f"to the power {power:.2f}." in figure.note and "3 points kept" in figure.note
    figure.page.get_by_role("button", name="Forget all points").click()
    assert "power" not in figure.note and figure.page.locator(".wait-point").count() == 0


def test_the_power_without_absent_labels_is_that_of_the_exercise(figure):
    call = "({ wait, exponent }) => exponent([8, 16, 32].map((n) => [n, wait(n, n, 0.01)]))"
    assert figure.compute("wait", call) == pytest.approx(1.83, abs=0.005)


def test_twice_the_rate_is_half_the_steps_in_the_same_time(figure):
    figure.slide("learning rate", -1)
    slow = figure.note
    figure.slide("learning rate", 0)
    assert slow.split(",")[2].strip(" .") == figure.note.split(",")[2].strip(" .")  # units of time
    steps = [int(note.split("wait is ")[1].split()[0]) for note in (slow, figure.note)]
    assert steps[0] == pytest.approx(10 * steps[1], abs=10)


def test_by_keyboard(figure):
    figure.page.get_by_label("labels for each pair").focus()
    figure.page.keyboard.press("End")
    assert "L = 64" in figure.note and figure.errors == []


def test_a_slider_that_is_no_number_leaves_it_usable(figure):
    figure.not_a_number("size of the start")
    assert "not a number" in figure.note
    figure.slide("size of the start", -3)
    assert figure.note.startswith("N = 8, L = 32")


def test_nothing_is_wrong_in_either_theme_or_on_a_phone(figure):
    figure.page.get_by_role("button", name="Keep this point").click()
    assert figure.problems() == []
