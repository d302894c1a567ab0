"""The training loop, on a problem whose answer is known."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from snippets.icl.training.fresh_batches import train, trained


class Number(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.zeros((), dtype=torch.float64))


def squared(number: Number, generator: torch.Generator) -> torch.Tensor:
    noise = torch.randn((), dtype=torch.float64, generator=generator)
    return (number.value - 1 + 0.1 * noise).square()


def fit(seed: int, n_steps: int = 200, **how) -> float:
    number, data = Number(), torch.Generator().manual_seed(seed)
    trained(number, train(number, lambda: squared(number, data), n_steps, 0.05, **how))
    assert not number.value.requires_grad, "a trained network is used, not trained on"
    return number.value.item()


def test_it_finds_the_minimum():
    assert fit(0) == pytest.approx(1, abs=0.05)


def test_it_repeats_and_follows_its_data():
    one, two, other = fit(1), fit(1), fit(2)
    assert one == two
    assert abs(one - other) > 1e-6  # 64-bit numbers and noisy data: no two seeds end alike


def test_it_says_how_many_steps_are_done():
    number = Number()
    seen = list(train(number, lambda: number.value.square(), 4, 0.1))
    assert seen == [0, 1, 2, 3, 4]


def test_the_rate_rises_stays_and_falls():
    """Adam's first steps are as long as the rate: with a constant gradient the way gone is the rate."""
    number, way = Number(), []
    for _ in train(number, lambda: -number.value, 100, 0.1, warm_up=10, cool_down=0.5):
        way.append(number.value.item())
    rates = [later - earlier for earlier, later in pairwise(way)]
    assert rates[0] == pytest.approx(0.01, rel=1e-3) and rates[30] == pytest.approx(0.1, rel=1e-3)
    assert rates[75] == pytest.approx(0.05, rel=1e-3) and rates[99] == pytest.approx(0.002, rel=1e-3)


def test_clipping_shortens_a_long_gradient():
    number, seen = Number(), []

    def steep() -> torch.Tensor:
        if number.value.grad is not None:
            seen.append(number.value.grad.item())
        return 100 * number.value

    trained(number, train(number, steep, 3, 0.1, clip=1.0))
    number.requires_grad_(True)
    assert number.value.grad is not None and number.value.grad.item() == pytest.approx(1.0, rel=1e-4)
