"""The claims about programs: each holds on what was meant and fails on what was not."""

import numpy as np
import pytest
import torch

from snippets.book.paths import DOCS
from snippets.icl.networks.program_library import chase, one_hot
from snippets.icl.networks.self_attention import softmax
from snippets.mechanisms import programs


def grid(reach) -> np.ndarray:
    """(layers, hops): right up to the reach."""
    return np.array([[float(hops <= reach(depth)) for hops in range(1, 41)] for depth in range(1, 7)])


@pytest.fixture
def good() -> dict:
    beta = np.array(programs.Config().betas)
    bound = np.tile(10 * np.exp(-beta), (3, 1))
    bound[:, :4] = 1.0
    scale = 10.0 ** np.arange(-8, 0.01, 0.25)
    return {
        "beta": beta,
        "look_up": 0.5 * bound,
        "look_up_bound": bound,
        "one_by_one": grid(lambda depth: depth),
        "doubling": grid(lambda depth: 2**depth - 1),
        "scale": scale,
        "product_error_64": np.abs(np.log10(scale) + 6),
        "product_error_32": 0.01 + np.abs(np.log10(scale) + 3),
        **dict.fromkeys(("move", "sort", "pointers", "multiply", "divide"), 0.9),
        **dict.fromkeys(("count", "affine", "sort_wrong"), 0.0),
        **dict.fromkeys(("multiply_error", "divide_error"), 1e-8),
    }


def test_each_claim_can_fail_and_can_hold(good):
    worse = {
        "look-up": {"look_up": 1.1 * good["look_up_bound"]},
        "blunt": {"look_up": 0.1 * good["look_up_bound"]},
        "sharp": {"look_up": 100 * good["look_up_bound"]},
        "sorted": {"sort_wrong": 0.02},
        "one-by-one": {"one_by_one": grid(lambda depth: depth + 1)},
        "doubling": {"doubling": grid(lambda depth: 2**depth)},
        "five-layers": {"doubling": grid(lambda depth: 2**depth)},
        "five-layers-plain": {"one_by_one": grid(lambda depth: depth - 1)},
        "multiply-error": {"multiply_error": 1e-5},
        "divide-error": {"divide_error": 1e-5},
        "single": {"product_error_32": good["product_error_32"] - 0.01},
        "best-scale": {"product_error_32": good["product_error_64"]},
        **{name: {name: 1.2} for name in ("move", "sort", "pointers", "multiply", "divide", "count", "affine")},
    }
    assert set(worse) == {claim.id for claim in programs.CLAIMS}
    for claim in programs.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(good | worse[claim.id])), claim.id


def test_how_far_hops_are_right_without_a_gap(good):
    gap = good["doubling"].copy()
    gap[4, 10] = 0.9
    assert programs.farthest(good, "doubling", 6) == 40
    assert programs.farthest(good | {"doubling": gap}, "doubling", 5) == 10


@pytest.mark.parametrize("hops", [0, 1, 5, 6])
def test_the_lines_that_matter_are_the_chase(hops):
    text = (DOCS / "mechanisms" / "programs.md").read_text(encoding="utf-8").partition("## The lines that matter")[2]
    lines = text.partition("```python")[2].partition("\n")[2].partition("```")[0]
    pointers, places = [3, 5, 0, 4, 1, 2], one_hot(range(6), 6)
    names = {"digits": [bool(hops >> i & 1) for i in range(3)], "beta": 9.0, "softmax": softmax}
    names |= {"here": places, "places": places, "jump": one_hot(pointers, 6)}
    exec(lines, names)
    torch.testing.assert_close(names["here"], chase(pointers, hops, 3, True, 9.0).answer)


def test_a_short_run_is_within_all_bounds():
    few = {"n_tries": 10, "n_ring": 9, "most_hops": 8, "most_layers": 4}
    config = programs.Config(lengths=(3, 5, 64), betas=(0.0, 2.0, 20.0), **few)
    found = programs.run(config, 5)
    for claim in programs.CLAIMS:
        if claim.id not in ("five-layers", "five-layers-plain", "blunt"):
            assert claim.holds(claim.value(found)), claim.id
    assert all(np.isfinite(value).all() for value in found.values())
