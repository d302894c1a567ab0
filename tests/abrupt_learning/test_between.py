"""What `between` and `minimal_head` derive from their measurements, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from snippets.abrupt_learning import between, minimal_head


def measured(context: list[float], memory: list[float]) -> dict:
    n, steps = len(between.NAMES), np.arange(0, 101, 25)
    m = {"step": steps, "context": np.zeros((5, n)), "memory": np.zeros((5, n))}
    for name, values in (("end_context", context), ("end_memory", memory)):
        m[name] = np.zeros(n)
        m[name][:7] = values
    return m


def test_a_step_between_two_neighbours():
    m = measured([0, 0, 0, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0, 0])
    assert between.switch(m) == pytest.approx((256 * 320) ** 0.5)
    assert between.stride(m) == pytest.approx(1)
    assert between.width(m) == pytest.approx((320 / 256) ** 0.5)
    assert between.both(m) == 0 and between.whole(m) == 1


def test_one_network_that_does_both_is_seen():
    m = measured([0, 0, 0, 0.9, 1, 1, 1], [1, 1, 1, 0.8, 0, 0, 0])
    assert between.both(m) == pytest.approx(0.8)
    assert between.whole(measured([0.1] * 7, [0.2] * 7)) == pytest.approx(0.3)


def test_prompts_alone_and_the_clocks():
    m = measured([0] * 7, [0] * 7)
    m["end_context"][[between.NAMES.index(n) for n in ("k384", "again")]] = 0.7, 0.1
    assert between.apart(m) == pytest.approx(0.6)
    m["context"][2:, between.NAMES.index("endless")] = 1  # at 50 steps
    for K, place in ((256, 1), (512, 1), (1024, 4)):
        m["memory"][place:, between.NAMES.index(f"alone{K}")] = 1
    assert between.expected(m) == pytest.approx(512 * 2**0.5)


def test_the_cell_that_stands_twice_is_the_same_data():
    cells = between.cells(between.PRESETS["laptop"])
    assert cells["again"] == cells["k384"] and len(cells) == len(between.NAMES) == 12


SMALL = replace(
    minimal_head.PRESETS["laptop"],
    class_counts=(16, 32),
    beta1=(0.0, 1.0),
    alpha=(-1.0, 0.0, 1.0),
    n_steps=25,
    batch=4,
    n_look=8,
)


def test_heads_are_told_apart_by_world_and_by_kind():
    m = minimal_head.run(SMALL, 0)
    assert m["numbers"].shape == (2, 4, 3) and m["grid_numbers"].shape == (1, 12, 3)
    assert (m["numbers"][-1, 2:, 2] == 0).all() and (m["numbers"][-1, :2, 2] != 0).all()
    again = minimal_head.run(SMALL, 0)
    assert all(np.array_equal(m[name], again[name]) for name in m)


def test_starts_are_in_the_order_of_the_grid():
    m = minimal_head.run(replace(SMALL, n_steps=0), 0)
    by_start = m["grid_numbers"][0].reshape(2, 2, 3, 3)
    assert (by_start[:, 1, :, 0] == 1).all() and (by_start[:, :, 0, 1] == -1).all()


def test_shares_and_marks_by_hand():
    n, steps = 10, np.arange(0, 101, 25)
    curve = np.array([0, 0, 0.3, 0.95, 1.0])
    m = {"step": steps, "grid_context": np.zeros((1, 70))}
    m |= {k: np.tile(curve[:, None], n) for k in ("context", "label_to_item", "target_to_label")}
    m["grid_context"][0, :7] = 0.9  # three numbers, the least beta1
    assert minimal_head.share(m, True) == pytest.approx(0.2) and minimal_head.share(m, False) == 0
    assert minimal_head.both_negative(m) == pytest.approx(0.9)
    assert minimal_head.rise(m) == pytest.approx(0.5) and minimal_head.together(m) == 0
