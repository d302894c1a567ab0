"""What the two experiments on data derive from their measurements, by hand."""

import numpy as np
import pytest

from snippets.abrupt_learning import data, zipf


def measured(**ends) -> dict:
    """Measurements of `data` in which nothing was learned, but for what is given as {what: {cell: value}}."""
    n, steps = len(data.NAMES), np.arange(0, 101, 25)
    names = ("context", "memory", "names_a_shown_label", "label_to_item")
    m = {"step": steps} | {name: np.zeros((len(steps), n), np.float32) for name in names}
    m |= {f"end_{name}": np.zeros(n, np.float32) for name in ("context", "memory", "best_memory", "rotated")}
    for what, cells in ends.items():
        for cell, value in cells.items():
            m[what][..., data.NAMES.index(cell)] = value
    return m


def test_a_clock_rings_at_the_first_half():
    m = measured()
    m["memory"][:, data.NAMES.index("k64_b0")] = [0, 0.4, 0.5, 0.3, 1]
    assert data.clock(m, "k64_b0", "memory") == 50
    assert data.clock(m, "k64_b1", "memory") == np.inf
    assert data.asked(m, 64) == 50  # 64 prompts a step, 64 classes


def test_the_crossing_lies_on_a_line_over_the_logarithm():
    assert data.crossing([-1.0, -1.0, -1.0, 1.0, 1.0]) == pytest.approx((192 * 512) ** 0.5)
    assert data.crossing([-3.0, 1.0, 1.0, 1.0, 1.0]) == pytest.approx(64 * 2**0.75)
    assert data.crossing([-1.0] * 5) == np.inf
    assert data.crossing([0.1] * 5) == 64


def test_the_two_switches():
    m = measured(
        end_context={"k512_b1": 0.9, "k1024_b1": 0.9},
        end_memory={"k64_b1": 0.9, "k128_b1": 0.9, "k192_b1": 0.9},
    )
    assert data.switch_measured(m) == pytest.approx((192 * 512) ** 0.5)
    m["context"][2:, data.NAMES.index("endless")] = 1  # at 50 steps
    for cell, place in (("k64_b0", 1), ("k128_b0", 1), ("k192_b0", 1), ("k512_b0", 4), ("k1024_b0", 4)):
        m["memory"][place:, data.NAMES.index(cell)] = 1
    assert data.switch_expected(m) == pytest.approx((192 * 512) ** 0.5)


def test_tips_counts_both_sides():
    m = measured(end_context={"k192_b2": 0.6, "k192_b1": 0.1}, end_memory={"k192_b2": 0.2, "k192_b1": 0.9})
    assert data.tips(m, "k192_b2") == pytest.approx(0.4 + 0.8)
    assert data.better(m, "k192_b1") == pytest.approx(0.9)


def test_the_cells_are_one_step_from_the_centre():
    config = data.PRESETS["laptop"]
    centre = data.cells(config)["k192_b1"]
    assert centre == config.centre
    noises = {cell.noise for cell in data.cells(config).values()}
    assert noises == {0.1, 0.3, 0.6, 1.0} and len(data.NAMES) == 19


def test_the_balance_is_where_the_lines_cross():
    falling = np.array([1, 1, 1, 0.8, 0.2, 0, 0, 0])
    assert zipf.balance(falling, 1 - falling) == pytest.approx(1 + 0.125 * 0.6 / 1.2)
    assert zipf.balance(np.ones(8), np.zeros(8)) == np.inf


def test_the_rule_knows_what_was_asked_often():
    assert zipf.rule(0.0, 34 * 1024) == pytest.approx(1 / 16)
    assert zipf.rule(0.0, 36 * 1024) == pytest.approx(1)
    assert 0.9 < zipf.rule(2.0, 19_200) < 1


def test_the_bins_are_all_classes():
    assert [k for ranks in zipf.BINS for k in ranks] == list(range(1024))


@pytest.mark.parametrize("module", [data, zipf])
def test_the_paper_preset_is_a_task(module):
    for cell in module.cells(module.PRESETS["paper"]).values():
        assert (cell.n_pairs, cell.n_labels, cell.d_item) == (8, 32, 63)
