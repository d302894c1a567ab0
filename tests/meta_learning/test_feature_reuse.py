"""Which layers an inner step moves, MAML as the case of all, and claims that can fail."""

import numpy as np
import pytest
import torch

from snippets.icl.tasks.few_shot import adapt, new_weights, points, sinusoids
from snippets.icl.training import some_layers
from snippets.meta_learning import feature_reuse
from snippets.meta_learning.figures import feature_reuse as figures

TINY = some_layers.Outer(
    width=6, n_shots=3, n_asked=3, n_tasks=4, n_steps=3, n_test_tasks=5, n_test_points=4, test_steps=2
)


def drawn() -> tuple[list, torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    x, y = points(sinusoids(4, g), 5, g)
    weights = [part.requires_grad_() for part in new_weights((1, 6, 6, 1), g)]
    return [part.expand(4, *part.shape) for part in weights], x, y


def test_all_layers_is_maml():
    w, x, y = drawn()
    ours = some_layers.step(w, some_layers.MOVES["all"], x, y, 0.1)
    theirs = adapt([part[0] for part in w], x, y, 0.1)
    for one, other in zip(ours, theirs):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("kind, moved", [("last", {4, 5}), ("hidden", {0, 1, 2, 3})])
def test_only_what_moves_moves(kind: str, moved: set[int]):
    w, x, y = drawn()
    stepped = some_layers.step(w, some_layers.MOVES[kind], x, y, 0.1)
    assert {i for i in range(6) if not torch.equal(w[i], stepped[i])} == moved


def test_an_unknown_kind():
    with pytest.raises(ValueError, match="'first' moves: choose all, last, hidden"):
        some_layers.trained_start("first", 0.1, TINY, 0, 0, 1)


def measured(last: float = 1.0, hidden: float = 1.0, one: float = 1.5, ten: float = 1.0, before: float = 3.0) -> dict:
    """Errors after 0, 1 and ten steps."""
    rows = {"all": (1.0, 0.5), "last": (last, 0.5), "hidden": (hidden, 0.5)}
    rows |= {"maml_by_all": (1.0, 0.5), "maml_by_last": (one, ten / 2)}
    return {name: np.array([before, first, *[late] * 9]) for name, (first, late) in rows.items()}


def test_each_claim_can_hold_and_can_fail():
    bads = {
        "last-enough": measured(last=2.5), "hidden-enough": measured(hidden=2.5), "one-step": measured(one=1.0),
        "ten-steps": measured(ten=2.0), "no-gift": measured(before=1.1),
    }  # fmt: skip
    for claim in feature_reuse.CLAIMS:
        assert claim.holds(claim.value(measured())), claim.id
        assert not claim.holds(claim.value(bads[claim.id])), claim.id


def test_a_short_run_is_no_nan_and_repeats():
    config = feature_reuse.Config(outer=TINY)
    one, two, other = (feature_reuse.run(config, seed) for seed in (5, 5, 6))
    for name in one:
        assert one[name].shape == (3,) and not np.isnan(one[name]).any(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["all"], other["all"])
    assert one["maml_by_last"][0] == one["all"][0]
    assert set(figures.draw([measured(), measured()])) == {"moves"}
