"""Two settings: everyone sees the same tasks, questions are not answered by themselves, and bad settings are named."""

import pytest
import torch

from snippets.icl.training import contenders as c
from snippets.icl.training import contenders_tried as tried
from snippets.icl.training.contest import lenient, marks, parameters, trained
from snippets.icl.training.inner_steps import Steps
from snippets.icl.training.rivals import Neighbours

SMALL = {"waves": c.Waves(2, batch=3, n_points=5), "digits": c.Digits(2, batch=3, n_points=5)}


@pytest.mark.parametrize("which", SMALL)
@pytest.mark.parametrize("way", [c.Reading(), Steps(), Neighbours()])
def test_a_question_is_answered_alone_and_by_its_own_task(which, way):
    setting = SMALL[which]
    predict = c.learner(setting, way, 5)
    stream = torch.Generator().manual_seed(0)
    x = torch.randn(3, 4, setting.d_in, generator=stream)
    y = torch.eye(setting.d_out)[torch.randint(setting.d_out, (3, 4), generator=stream)]
    asked = torch.randn(3, 6, setting.d_in, generator=stream)
    said = predict(x, y, asked)
    assert said.shape == (3, 6, setting.d_out)
    torch.testing.assert_close(said[1:2, 4:5], predict(x[1:2], y[1:2], asked[1:2, 4:5]), atol=1e-5, rtol=1e-4)
    if not isinstance(way, Neighbours):  # an example more or less is noticed
        assert not torch.allclose(said, predict(x[:, :3], y[:, :3], asked))
    with pytest.raises(ValueError, match=r"^zero examples"):
        predict(x[:, :0], y[:, :0], asked)


def test_reading_meets_the_same_digits_as_the_others(monkeypatch):
    setting = c.Digits(3, batch=2, n_points=4, start_steps=1)
    seen = []
    forward = c.ContextClassifier.forward
    monkeypatch.setattr(
        c.ContextClassifier, "forward", lambda self, x, *rest: seen.append(x) or forward(self, x, *rest)
    )
    c.learner(setting, c.Reading(), 7)
    tasks = setting.draws(c.streams(7, 3)[1])
    for x in seen:
        assert torch.equal(x, next(tasks)[0])


def test_reading_meets_the_same_waves_as_the_others(monkeypatch):
    setting, seen = SMALL["waves"], []
    forward = c.RegressionTransformer.forward
    monkeypatch.setattr(
        c.RegressionTransformer, "forward", lambda self, x, *rest: seen.append(x) or forward(self, x, *rest)
    )
    c.learner(setting, c.Reading(), 7)
    tasks = setting.draws(c.streams(7, 3)[1])
    assert len(seen) == 2
    for x in seen:
        assert torch.equal(x[..., :1], next(tasks)[0]) and (x[..., 1] == 1).all()


@pytest.mark.parametrize("ways", [1, 6, 12])
def test_more_ways_than_classes_are_named(ways):
    with pytest.raises(ValueError, match=rf"^{ways} ways: there are ten classes"):
        _ = c.Digits(n_ways=ways).data


def test_a_pool_of_no_tasks_is_named():
    with pytest.raises(ValueError, match=r"^a pool of 0 tasks holds nothing to learn"):
        next(c.Digits(batch=0).draws(torch.Generator()))


def test_everyone_is_given_six_trials_of_which_one_is_chosen():
    for setting, ways in tried.TRIED.items():
        assert set(ways) == set(tried.WINNER[setting])
        for name, six in ways.items():
            assert len(set(six)) == 6, name
            assert tried.chosen(setting)[name] == six[tried.WINNER[setting][name]]
    with pytest.raises(ValueError, match=r"^4 settings to try: every way is given six"):
        tried.grid(Steps(), size=(1.0, 2.0), n_steps=(1, 2))


def test_the_large_start_is_as_large_as_the_reader():
    for name, setting in SMALL.items():
        chosen = tried.chosen(name)
        sizes = [parameters(setting, chosen[way]) for way in ("wide", "icl", "neighbour")]
        assert sizes[0] == pytest.approx(sizes[1], rel=0.02) and sizes[2] == 0


def test_divergence_is_an_error_unless_one_is_lenient():
    from snippets.icl.tasks.waves_to_learn import wave_exam

    wild = {"maml": Steps("random", size=100.0), "neighbour": Neighbours()}
    predicts = trained(SMALL["waves"], wild, 5)
    exam = wave_exam("as trained", 8, 4, 2, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match=r"^step size 100 diverges"):
        marks(predicts, exam, (4,))
    found = marks(lenient(predicts), exam, (1, 4))
    assert found.shape == (2, 2) and (found <= 10.0**2).all() and found[0, 1] > found[1, 1]
