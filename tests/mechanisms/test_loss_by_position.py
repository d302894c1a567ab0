"""Loss by position: dice, exact losses, two guesses, claims, what is refused, and a short run."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets.book.paths import DOCS
from snippets.icl.measures import icl_score
from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.mechanisms import loss_by_position as experiment
from snippets.mechanisms.loss_by_position import Config, best_of_two, counting, exact_loss, loaded_dice, losses, throw


def made(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_exact_losses_by_hand():
    assert exact_loss(0, 6, 0.5) == pytest.approx(math.log(6))
    second = -3 / 8 * math.log(3 / 8) - 5 / 8 * math.log(1 / 8)  # exercise 1
    assert exact_loss(1, 6, 0.5) == pytest.approx(second)


def test_the_score_in_short_is_the_score():
    page = (DOCS / "mechanisms" / "loss-by-position.md").read_text(encoding="utf-8")
    names = {"loss": torch.rand(5, 64, generator=made())}
    exec(re.findall(r'^```python title="The score in short"\n(.*?)^```', page, re.DOTALL | re.MULTILINE)[0], names)
    late, early = (slice(throw - 1, throw) for throw in (Config().late, Config().early))
    torch.testing.assert_close(names["score"], icl_score(names["loss"], early, late))


@given(st.integers(2, 6), st.sampled_from([0.3, 0.5, 1.0, 2.0]), st.integers(0, 30))
def test_exact_losses_fall_towards_the_entropy_of_a_die(k, a, t):
    floor = experiment.entropy(k, a)
    assert exact_loss(t, k, a) > exact_loss(t + 1, k, a) > floor
    far = 2000
    assert exact_loss(far, k, a) - floor == pytest.approx((k - 1) / (2 * far), rel=0.1)


def test_counting_loses_what_is_exact():
    g = made()
    dice = loaded_dice(40_000, 4, 0.5, g)
    throws = throw(dice, 9, g)
    loss = losses(dice, counting(throws, 4, 0.5).log().float()).mean(0)
    exact = [exact_loss(t, 4, 0.5) for t in range(9)]
    assert np.abs(loss.numpy() - exact).max() < 0.01


def test_counting_by_hand():
    guess = counting(torch.tensor([[0, 0, 2]]), 3, 0.5)[0]
    assert guess[0].tolist() == pytest.approx([1 / 3] * 3)
    assert guess[1].tolist() == pytest.approx([0.6, 0.2, 0.2])
    assert guess[2].tolist() == pytest.approx([2.5 / 3.5, 0.5 / 3.5, 0.5 / 3.5])


def test_the_entropy_of_dice():
    dice = loaded_dice(100_000, 6, 0.5, made())
    assert experiment.entropy(6, 0.5) == pytest.approx(float(torch.special.entr(dice).sum(1).mean()), abs=0.01)
    assert experiment.entropy(3, 1.0) == pytest.approx(1 / 2 + 1 / 3)


def test_two_guesses_by_hand():
    guess = torch.tensor([[0.2, 0.8]]).log().expand(4000, 2)
    gain, formula, drawn = best_of_two(guess, torch.zeros(4000, dtype=torch.long), made())
    assert gain == pytest.approx(math.log(1.8))
    assert formula == pytest.approx(1 - 0.8**2)
    assert drawn == pytest.approx(formula, abs=0.01)


def test_a_network_reads_no_later_throw():
    g = made()
    network = MaskedTransformer(7, 6, 8, 1, 2, g).requires_grad_(False)
    throws = throw(loaded_dice(2, 6, 0.5, g), 10, g)
    changed = throws.clone()
    changed[:, 5] = (throws[:, 5] + 1) % 6
    before, after = (experiment.predict(network, x, 6) for x in (throws, changed))
    assert torch.equal(before[:, :6], after[:, :6]), "throw 5 itself is not known when it is predicted"
    assert not torch.equal(before[:, 6:], after[:, 6:])
    assert torch.allclose(before.exp().sum(-1), torch.ones(2, 10))


def test_clear_errors():
    g = made()
    network = MaskedTransformer(7, 6, 8, 1, 2, g)
    with pytest.raises(ValueError, match="sequence is empty: give it at least one throw"):
        experiment.predict(network, torch.zeros(1, 0, dtype=torch.long), 6)
    for wrong in (6, -1):
        with pytest.raises(ValueError, match="a die of 6 has 0 to 5"):
            experiment.predict(network, torch.tensor([[0, wrong]]), 6)
    for k, a in ((1, 0.5), (6, 0.0)):
        with pytest.raises(ValueError, match="two faces or more"):
            loaded_dice(3, k, a, g)


def test_more_guesses():
    """Exercise 2: 0.4 nats a token take two guesses; over 100 tokens, e^40 texts."""
    assert 1 < math.exp(0.4) < 2 and math.exp(0.4) == pytest.approx(1.49, abs=0.005)
    assert math.exp(40) == pytest.approx(2e17, rel=0.2)


def test_each_claim_can_fail_and_can_hold():
    exact = np.array([exact_loss(t, 6, 0.5) for t in range(64)])
    flat = np.full(64, math.log(6))
    good = {
        "loss": np.stack([flat, exact + 0.01]),
        "counted": exact,
        "score": -0.41,
        "score_by_step": np.array([0.001, -0.5, -0.41]),
        "again": np.array([0.17, 0.2, 0.6, 0.375]),
        "best_score": -0.42,
        "two_gain": 0.575,
        "two_formula": 0.37,
        "two_drawn": 0.372,
    }
    bad = {
        "loss": np.stack([flat, flat + 0.1]),
        "counted": exact,
        "score": 0.0,
        "best_score": 0.1,
        "score_by_step": np.array([0.2, 0.09]),
        "again": np.full(4, 0.375),
        "two_gain": 0.68,
        "two_formula": 0.37,
        "two_drawn": 0.5,
    }
    for claim in experiment.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_a_short_run_is_finite_and_repeats():
    config = Config(n_steps=4, moments=(0, 4), evaluate_every=2, n_watch=8, n_test=8, batch=4)
    one, two, other = (experiment.run(config, seed) for seed in (5, 5, 6))
    assert one["step"].tolist() == [0, 2, 4] and one["loss"].shape == (2, 64)
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert np.abs(one["loss"] - other["loss"]).max() > 1e-3
