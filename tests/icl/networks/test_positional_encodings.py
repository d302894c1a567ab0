"""Each encoding against its formula, written here with loops and without its code."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.networks.positional_encodings import ALiBi, Learned, Nowhere, Rotary, Sinusoidal, frequencies

few = settings(max_examples=25)
p64 = torch.float64


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_nowhere_does_nothing():
    x = random(2, 5, 8)
    assert torch.equal(Nowhere().add(x), x)
    assert torch.equal(Nowhere().rotate(x[:, None]), x[:, None])
    assert (Nowhere().bias(5) == 0).all()


@pytest.mark.parametrize("made", [Learned(9, 8, torch.Generator().manual_seed(0)), Sinusoidal(8), Rotary(), ALiBi(2)])
def test_each_acts_in_one_place(made):
    x = random(2, 5, 8).float()
    acts = [
        not torch.equal(made.add(x), x),
        not torch.equal(made.rotate(x[:, None]), x[:, None]),
        bool(made.bias(5).abs().sum() > 0),
    ]
    assert sum(acts) == 1


def test_sinusoidal_is_the_formula():
    points = Sinusoidal(6).add(torch.zeros(1, 20, 6, dtype=p64))[0]
    for p in range(20):
        for pair in range(3):
            angle = p / 10_000 ** (2 * pair / 6)
            assert points[p, 2 * pair] == pytest.approx(math.sin(angle), abs=1e-12)
            assert points[p, 2 * pair + 1] == pytest.approx(math.cos(angle), abs=1e-12)


@given(st.integers(0, 40), st.integers(0, 20))
@few
def test_a_step_along_sinusoidal_positions_is_one_rotation(p, s):
    points = Sinusoidal(4).add(torch.zeros(1, 61, 4, dtype=p64))[0]
    for pair, w in enumerate(frequencies(4).tolist()):
        turn = torch.tensor([[math.cos(w * s), math.sin(w * s)], [-math.sin(w * s), math.cos(w * s)]], dtype=p64)
        here, there = points[p, 2 * pair : 2 * pair + 2], points[p + s, 2 * pair : 2 * pair + 2]
        assert torch.allclose(turn @ here, there, atol=1e-12)


@given(st.integers(0, 10**6), st.sampled_from([2, 4, 8]))
@few
def test_rotary_scores_depend_on_the_distance_only(seed, d):
    q, k = random(2, d, seed=seed)
    n = 12
    turned_q = Rotary().rotate(q.expand(1, 1, n, d))[0, 0]
    turned_k = Rotary().rotate(k.expand(1, 1, n, d))[0, 0]
    scores = turned_q @ turned_k.T
    assert torch.allclose(scores[1:, 1:], scores[:-1, :-1], atol=1e-12)
    assert scores[0, 0] == pytest.approx((q @ k).item())
    assert torch.allclose(turned_q.norm(dim=-1), q.norm().expand(n))  # turning keeps lengths


def test_rotary_turns_each_pair_by_its_angle():
    """As complex numbers: x e^(i w p), pair c being the coordinates c and c + d / 2."""
    x = random(1, 1, 7, 6, seed=3)
    pairs = torch.complex(x[..., :3], x[..., 3:])
    angle = torch.arange(7)[:, None] * torch.tensor([1.0, 10_000 ** (-1 / 3), 10_000 ** (-2 / 3)], dtype=p64)
    turned = pairs * torch.polar(torch.ones_like(angle), angle)
    assert torch.allclose(Rotary().rotate(x), torch.cat([turned.real, turned.imag], -1), atol=1e-12)


def test_alibi_is_the_formula():
    bias = ALiBi(8).bias(6)
    assert ALiBi(8).slopes.tolist() == [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256]
    assert bias.shape == (8, 6, 6)
    assert bias[0, 5, 2] == -3 / 2 and bias[1, 4, 4] == 0 and bias[7, 3, 0] == -3 / 256


def test_learned_adds_its_own_rows_and_ends():
    made = Learned(4, 8, torch.Generator().manual_seed(0))
    x = random(2, 3, 8).float()
    assert torch.equal(made.add(x) - x, (x + made.W_pos[:3]) - x)
    with pytest.raises(ValueError, match="a sequence of 5 tokens is longer than the 4 positions"):
        made.add(torch.zeros(1, 5, 8))


def test_an_odd_number_forms_no_pairs():
    with pytest.raises(ValueError, match="5 dimensions do not form pairs"):
        Sinusoidal(5).add(torch.zeros(1, 2, 5))
    with pytest.raises(ValueError, match="3 dimensions do not form pairs"):
        Rotary().rotate(torch.zeros(1, 1, 2, 3))
