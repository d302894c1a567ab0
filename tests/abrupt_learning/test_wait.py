"""The wait: every claim on made-up seeds, short runs, and what the chapter computes by hand."""

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from snippets.abrupt_learning import wait, wait_and_size
from snippets.abrupt_learning.figures import wait as wait_figures
from snippets.abrupt_learning.figures import wait_and_size as size_figures
from snippets.abrupt_learning.saddle import growth, slope, wait_on_a_slope

PAGE = (Path(__file__).parents[2] / "docs/abrupt-learning/wait.md").read_text(encoding="utf-8")


def cell(steps: float, batch: int, edge: float = 40, last: float = 1) -> dict:
    looks = np.arange(0, 101, 20, dtype=np.float32)
    waited = {"wait": steps, "prompts": steps * batch, "edge": edge, "true_edge": edge}
    return {"step": looks, "accuracy": last * looks / 100} | waited


def seed(powers: tuple[float, float] = (1.5, 1.3), theory: float = 1.3, true: float = 1.2) -> dict:
    """A made-up seed whose waits are powers of N."""
    cells = {}
    for (batch, pairs), power in zip(wait.PAIRS.items(), powers, strict=True):
        for n in pairs:
            cells[f"b{batch}-n{n}"] = cell(0.5 * 16**0.5 * 60 * (n / 4) ** power * 4, batch, 40 * (n / 4) ** theory)
            cells[f"b{batch}-n{n}"]["true_edge"] = 35 * (n / 4) ** true
    return cells


def failed(claims, m) -> set[str]:
    return {claim.id for claim in claims if not claim.holds(float(claim.value(m)))}


def test_powers_are_read_off():
    m = seed()
    assert wait.power(32)(m) == pytest.approx(1.5) and wait.power(128)(m) == pytest.approx(1.3)
    assert wait.power(32, "edge")(m) == pytest.approx(1.3)
    assert wait.times_as_long(8, 4, 32)(m) == pytest.approx(2**1.5)
    assert failed(wait.CLAIMS, m) == set()


def test_each_claim_of_the_prompts_can_fail():
    flat, steep = seed((0.5, 0.2), theory=2, true=2), seed((3, 3.2))
    never = seed() | {"b32-n4": cell(math.inf, 32), "b32-n8": cell(math.inf, 32)}
    found = failed(wait.CLAIMS, flat) | failed(wait.CLAIMS, steep) | failed(wait.CLAIMS, never)
    assert found == {claim.id for claim in wait.CLAIMS}


def test_presets_are_what_their_names_say():
    for name, config in wait.PRESETS["laptop"].items():
        batch, n = (int(part[1:]) for part in name.split("-"))
        assert (config.batch, config.task.n_pairs, config.learning_rate) == (batch, n, 0.5)
        assert n in wait.PAIRS[batch]
    for name, config in wait_and_size.PRESETS["laptop"].items():
        if "-b" in name:
            rate, batch = name.split("-b")
            assert (config.learning_rate, config.batch) == (wait_and_size.RATES[rate], int(batch))
        assert config.task.n_pairs == 4


def sizes(time=lambda noise: 150 * (1 + 60 * noise), width: float = -0.2) -> dict:
    """A made-up seed in which rate x steps is a function of rate / batch."""
    cells = {
        f"{name}-b{batch}": cell(time(rate / batch) / rate, batch)
        for name, rate in wait_and_size.RATES.items()
        for batch in wait_and_size.BATCHES
    }
    usual = cells["half-b32"]["wait"]
    cells |= {f"w{w}": cell(usual * (w / 64) ** width, 32) for w in (32, 128, 256)}
    cells["half-b16"] = cell(cells["half-b16"]["wait"], 16, last=0.1)
    return cells | {f"d{d}": cell(usual * (d / 32) ** -width, 32) for d in (16, 64)}


def test_one_curve_is_found():
    m = sizes()
    assert wait_and_size.alike(m) == pytest.approx(1)
    assert wait_and_size.unlike(m) == pytest.approx((1 + 60 / 32) / (1 + 60 / 1024))
    assert failed(wait_and_size.CLAIMS, m) == set()


def test_each_claim_of_batch_rate_and_size_can_fail():
    flow, noisy = sizes(lambda noise: 150, width=0.3), sizes(lambda noise: 150 * (1 + 2000 * noise))
    examples = sizes()
    for rate in wait_and_size.RATES:
        for batch in wait_and_size.BATCHES:
            examples[f"{rate}-b{batch}"] = cell(64_000 / batch, batch)
    late = sizes()
    late["half-b128"] = cell(2000, 128)
    found = set().union(*(failed(wait_and_size.CLAIMS, m) for m in (flow, noisy, examples, late)))
    assert found == {claim.id for claim in wait_and_size.CLAIMS}


@pytest.mark.parametrize("module, one", [(wait, "b32-n4"), (wait_and_size, "w32")])
def test_a_short_run_has_what_claims_and_figures_read(module, one):
    config = replace(module.PRESETS["laptop"][one], n_steps=40, batch=4, n_test=16)
    found = module.run(config, 1000)
    assert set(cell(1, 1)) - {"edge", "true_edge"} <= set(found)
    for value in found.values():
        assert not np.isnan(value).any()


def test_figures_are_drawn_with_a_run_that_never_got_there():
    assert set(wait_figures.draw([seed(), seed()])) == {"curves", "power"}
    late = sizes() | {"half-b16": cell(math.inf, 16)}
    assert set(size_figures.draw([sizes(), late])) == {"batch", "noise", "size"}


def test_the_table_of_slopes_and_waits():
    rows = re.findall(r"^\| (\d+) \| ([\d.]+) \| ([\d.]+) \| (\d+) \|$", PAGE, re.MULTILINE)
    assert [int(row[0]) for row in rows] == [4, 12]
    for n, sigma, g, time in rows:
        n = int(n)
        assert slope(n, 4 * n) == pytest.approx(float(sigma), abs=5e-4)
        assert growth(n, 4 * n) == pytest.approx(float(g), abs=5e-5)
        assert wait_on_a_slope(n, 4 * n) == pytest.approx(float(time), abs=0.5)
    assert slope(4, 16) / slope(12, 48) == pytest.approx(2.8, abs=0.05)
    assert growth(4, 16) / growth(12, 48) == pytest.approx(6.5, abs=0.05)


def test_the_listing_in_short_computes_what_the_experiment_does():
    listing = re.search(r'^```python title="[^"]* in short"\n(.*?)^```', PAGE, re.DOTALL | re.MULTILINE)
    names = {
        "step": np.array([0, 20, 40]), "accuracy": np.array([0.1, 0.6, 0.4]), "inf": math.inf, "polyfit": np.polyfit,
        "log": np.log, "pairs": np.array([4, 8]), "waits": np.array([100, 300]), "rate": 0.5, "batch": 32,
    }  # fmt: skip
    exec(listing[1], names)
    assert (names["wait"], names["time"], names["noise"]) == (20, 10, 1 / 64)
    assert names["power"] == pytest.approx(math.log2(3))
