"""The cliff in the browser: loss, velocity and flow are Python's, and a ball can be dropped and rolled."""

import numpy as np
import pytest
import torch

from snippets.icl.theory import head_flow
from snippets.icl.theory.three_exponentials import loss

pytestmark = [pytest.mark.results, pytest.mark.browser]

N, L = 8, 32  # as in abrupt_learning/cliff
STARTS = [[0.01, 0.01, 0.01], [0.1, 0.1, 0.1], [0.0, 0.5, 0.0], [3.0, 0.2, -0.5], [10.0, 0.05, 0.0], [6.0, 6.0, 4.0]]
TIMES = np.linspace(0, 200, 101)


@pytest.fixture
def figure(mounted):
    return mounted("cliff")


def test_loss_and_velocity_are_those_of_python(figure):
    random = np.random.default_rng(0)
    points = random.uniform([0, -1, -2], [12, 8, 6], (200, 3))
    call = "({ loss, velocity }, points) => points.map((p) => [loss(p), ...velocity(p)])"
    found = np.array(figure.compute("cliff", call, points.tolist()))
    np.testing.assert_allclose(found[:, 0], loss(torch.from_numpy(points), N, L), atol=1e-12)
    expected = [head_flow.velocity(point, N, L) for point in points]
    np.testing.assert_allclose(found[:, 1:], expected, atol=1e-12)


def test_the_flow_is_that_of_python(figure):
    call = "({ flow }, [starts, times]) => starts.map((start) => flow(start, times))"
    found = np.array(figure.compute("cliff", call, [STARTS, TIMES.tolist()]))
    for start, path in zip(STARTS, found, strict=True):
        expected = head_flow.flow(torch.tensor(start, dtype=torch.float64), TIMES, N, L).numpy()
        np.testing.assert_allclose(path, expected, atol=1e-4, err_msg=str(start))


def test_a_flow_that_cannot_be_followed_is_said(figure):
    call = """({ flow }) => { try { flow([0, 0, 0], [0, 1], () => [NaN, NaN, NaN]); return 'nothing'; }
        catch (error) { return error.message; } }"""
    assert figure.compute("cliff", call) == "The flow is too steep to follow from there."


def numbers(note: str) -> list[float]:
    return [float(part.split("=")[1].strip(" .")) for part in note.split(";")[1].split(",")]


def test_a_reader_drops_the_ball_on_the_map(figure):
    box = figure.page.locator(".touch-drop").bounding_box()
    figure.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    xi, alpha, _ = numbers(figure.note)
    assert 3 < xi < 7 and 2.5 < alpha < 4.5
    assert figure.page.get_by_label("α at the start").input_value() == pytest.approx(f"{alpha:.2f}".rstrip("0"))


def test_it_rolls_over_the_edge_and_can_be_stopped(figure):
    figure.page.get_by_role("button", name="Let it roll").click()
    figure.page.wait_for_timeout(300)
    figure.page.get_by_role("button", name="Stop").click()
    stopped = figure.page.get_by_role("slider", name="time").input_value()
    figure.page.wait_for_timeout(200)
    assert 0 < float(stopped) < 200 and figure.page.get_by_role("slider", name="time").input_value() == stopped
    figure.slide("time", 60)
    assert "loss 3." in figure.note
    figure.slide("time", 150)
    assert "loss 0." in figure.note and figure.errors == []


def test_with_less_motion_it_is_there_at_once(mounted):
    figure = mounted("cliff", reduced_motion="reduce")
    figure.page.get_by_role("button", name="Let it roll").click()
    assert figure.note.startswith("Time 200: loss 0.")


def test_by_keyboard_and_every_view(figure):
    figure.page.get_by_label("ξ at the start").focus()
    for _ in range(4):
        figure.page.keyboard.press("ArrowRight")
    assert numbers(figure.note)[0] == pytest.approx(0.3)
    for view in ("β and ξ", "α and β", "α and ξ"):
        figure.page.get_by_label("The map shows").select_option(view)
        assert figure.page.locator(".touch-ball").count() == 2
        assert numbers(figure.note)[0] == pytest.approx(0.3)


@pytest.mark.parametrize("bad", ["NaN", "", "99999", "-1e400", "steep"])
def test_bad_input_leaves_it_usable(figure, bad):
    for name in ("ξ at the start", "β at the start", "time"):
        figure.slide(name, bad)
    assert "NaN" not in figure.note and figure.errors == []
    figure.slide("ξ at the start", 1)
    assert numbers(figure.note)[0] == 1


def test_what_is_no_number_is_said(figure):
    figure.not_a_number("ξ at the start")
    assert figure.note == "ξ is not a number."
    figure.slide("ξ at the start", 1)
    assert "loss" in figure.note


def test_it_is_accessible_and_fits(figure):
    assert figure.problems() == []
