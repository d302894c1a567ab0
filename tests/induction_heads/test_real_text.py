"""Real text: the claims' numbers by hand, what an exam holds, and a short run."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.icl.tasks.words import words
from snippets.icl.theory.curves import half_way, quickens
from snippets.icl.training import text_training
from snippets.induction_heads import real_text
from snippets.induction_heads.real_text import Exam, derivative, late_slope, paths, reaches, turn

SMALL = replace(real_text.PRESETS["laptop"]["device"], corpus="novel", d_model=8, n_test=8, n_steps=4, evaluate_every=2)


def test_first_step_at_a_level():
    m = {"step": np.array([0, 20, 40]), "prefix": np.array([0.1, 0.5, 0.7])}
    assert reaches(m, 0.5) == 20 and reaches(m, 0.05) == 0 and reaches(m, 0.9) == np.inf
    assert half_way(m["step"], np.array([2.0, 1.5, 0.0])) == 40


def test_slopes_over_the_logarithm_of_the_place():
    n = np.sqrt(np.array(real_text.EDGES[1:-1]) * np.array(real_text.EDGES[2:]))
    m = {"by_place": np.tile(np.concatenate([[5.0], 3 - 0.4 * np.log(n)]), (3, 1))}
    assert derivative(m)[:, 1:] == pytest.approx(np.full((3, 5), -0.4))
    assert late_slope(m) == pytest.approx([-0.4] * 3)


def test_a_straight_or_convex_fall_does_not_quicken_and_a_cliff_does():
    x = np.arange(40.0)
    assert quickens(5 - 0.1 * x) == pytest.approx(0)
    assert quickens(np.exp(-x / 10)) < 0
    assert quickens(5 - 2 / (1 + np.exp(25 - x))) > 1


def cells(angle: float) -> dict:
    """Two stretches of a path, the second turned by an angle, in a cell that forms a head at step 240."""
    step = np.arange(0, 500, 20)
    ways = np.where(step[:, None] < 240, [[1.0, 0.0]], [[np.cos(angle), np.sin(angle)]])
    path = np.cumsum(np.concatenate([np.zeros((1, 2)), ways[:-1]]), 0)
    one = {"step": step, "prefix": np.where(step < 240, 0.0, 0.8), "one_each": path[::3]}
    return {"device": one, "one-layer": one}


@pytest.mark.parametrize("angle", [0, np.pi / 2, np.pi])
def test_a_turn_is_its_cosine(angle):
    m = cells(angle)
    cosine, length = turn(m, "device")
    assert cosine == pytest.approx(np.cos(angle), abs=1e-6)
    assert length == pytest.approx(np.linalg.norm(m["device"]["one_each"][-1] - m["device"]["one_each"][4]))


def test_paths_keep_their_plane():
    found = paths(cells(np.pi / 3), ("device",))["device"]
    path = cells(np.pi / 3)["device"]["one_each"]
    lengths = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert np.linalg.norm(np.diff(found, axis=0), axis=1) == pytest.approx(lengths)


def test_an_exam_reads_held_out_words_twice():
    text = words("novel", SMALL.n_vocab)
    exam = Exam(text, SMALL, torch.Generator().manual_seed(0))
    assert (exam.twice[:, :64] == exam.twice[:, 64:]).all() and (exam.twice[:, :64] == exam.text[:4, :64]).all()
    held_out = torch.cat(text.held_out).unfold(0, 129, 1)
    assert all((held_out == window).all(1).any() for window in exam.text)


def test_only_some_windows_are_counted_as_shown_again():
    assert text_training.by_kind(torch.tensor([1.0, 3.0, 10.0]), 2) == (10.0, 2.0)
    assert text_training.by_kind(torch.tensor([1.0, 3.0]), 0) == (2.0, np.inf)


@pytest.mark.parametrize("n_layers", [1, 2])
def test_a_short_run_is_complete(n_layers):
    m = real_text.run(replace(SMALL, n_layers=n_layers), 7)
    assert m["step"].tolist() == [0, 2, 4] and m["by_place"].shape == (3, 7) and m["one_each"].shape == (1, 8)
    assert not any(np.isnan(value).any() for value in m.values())
    assert m["validation"][0] == pytest.approx(np.log(256), abs=0.1)
    again = real_text.run(replace(SMALL, n_layers=n_layers), 7)
    assert (again["validation"] == m["validation"]).all()


def test_a_window_longer_than_the_text_is_said():
    with pytest.raises(ValueError, match="a window of 99999 words is longer than each"):
        real_text.Windows(words("novel", 256).held_out, 99999)
