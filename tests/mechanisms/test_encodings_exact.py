"""Exact checks of positional encodings: each holds for what is right and notices what is wrong."""

import numpy as np
import pytest
import torch

from snippets.icl.networks.positional_encodings import ALiBi, Nowhere, Rotary
from snippets.icl.networks.self_attention import SelfAttention
from snippets.mechanisms import encodings_exact as exact
from snippets.mechanisms.figures import encodings_exact as figures

SMALL = exact.Config(n_tokens=5, d_model=8, n_heads=2, batch=3, n_positions=32)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=generator())


def test_order_is_seen_with_positions_alone():
    layer = SelfAttention(8, 2, generator()).double().requires_grad_(False)
    x = random(2, 6, 8)
    assert exact.order_matters(layer, x, Nowhere()) < 1e-14
    assert exact.order_matters(layer, x, Rotary()) > 1e-3


def test_formula_errors_notice_a_wrong_encoding(monkeypatch):
    assert exact.rotary_error(8, 32, generator()) < 1e-13
    assert exact.sinusoidal_error(8, 20) < 1e-13
    assert exact.alibi_error(4, 10) == 0

    class Learned(Rotary):
        def rotate(self, x):
            return x * torch.arange(x.shape[-2])[:, None]

    monkeypatch.setattr(exact, "Rotary", Learned)
    assert exact.rotary_error(8, 32, generator()) > 0.1


def test_alibis_sharpest_look():
    """Exercise 3 of *positions*: own token shunned, contents alike: 1 - e^(-1/4) falls on the token before."""
    weights = ALiBi(4).bias(2000)[0, -1, :-1].double().softmax(0)
    assert weights[-1].item() == pytest.approx(1 - np.exp(-1 / 4), abs=1e-6)
    assert weights[-1].item() == pytest.approx(0.22, abs=0.002)


def test_each_claim_can_hold_and_can_fail():
    good = dict(exact.run(SMALL, 5))
    bad = {name: value + 0.3 for name, value in good.items()}
    bad |= {f"order_{name}": 0.0 for name in ("learned", "sinusoidal", "rotary", "alibi")}
    for claim in exact.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_a_run_is_finite_and_repeats():
    one, two = exact.run(SMALL, 5), exact.run(SMALL, 5)
    assert one == two and np.isfinite(list(one.values())).all()
    assert set(figures.draw([one])) == {"encodings"}
