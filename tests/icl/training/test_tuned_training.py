"""Training with a rate chosen on the way: on a problem whose answer is known."""

import pytest
import torch
from torch import nn

from snippets.icl.training.tuned_training import Schedule, train


class Number(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.zeros(()))


def squared(model: nn.Module, generator: torch.Generator) -> torch.Tensor:
    return (model.value - 1 + 0.01 * torch.randn((), generator=generator)).square()


def left(model: nn.Module) -> float:
    return (model.value - 1).square().item()


def test_the_rate_with_the_least_loss_goes_on():
    first = Number()
    schedule = Schedule(rates=(1e-5, 0.05, 1e-4), n_tune=30, n_steps=200, warm_up=5)
    network, tuning = train(first, squared, left, schedule, 0)
    assert min(range(3), key=tuning.__getitem__) == 1
    assert left(network) < 1e-3 < tuning[0]
    assert first.value.item() == 0, "the network that was handed in is left as it was"


def test_a_rate_that_diverges_is_infinitely_bad():
    schedule = Schedule(rates=(0.05, 1.0), n_tune=5, n_steps=6)
    _, tuning = train(Number(), squared, lambda m: float("nan") if m.value > 0.2 else left(m), schedule, 0)
    assert tuning[1] == float("inf") > tuning[0]


def test_it_repeats():
    schedule = Schedule(rates=(0.01,), n_tune=3, n_steps=9)
    values = [train(Number(), squared, left, schedule, seed)[0].value.item() for seed in (1, 1, 2)]
    assert values[0] == values[1] != values[2]


def test_the_rate_rises_stays_and_falls():
    schedule = Schedule((0.1,), n_tune=10, n_steps=100, warm_up=10)
    shares = [schedule.share(step) for step in range(100)]
    assert shares[0] == 0.1 and shares[9] == shares[50] == 1
    assert shares[75] == pytest.approx(0.5) and shares[99] == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("schedule", "word"),
    [
        (Schedule((), 1, 2), "no learning rate to try"),
        (Schedule((0.1,), 5, 4), "5 tuning steps of 4"),
        (Schedule((0.1,), 0, 4), "0 tuning steps of 4"),
    ],
)
def test_schedules_that_train_nothing_are_refused(schedule, word):
    with pytest.raises(ValueError, match=word):
        train(Number(), squared, left, schedule, 0)
