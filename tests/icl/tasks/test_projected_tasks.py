"""Tasks made of real data are what they say they are."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.tasks.projected_tasks import (
    TABLES,
    Batch,
    DataSet,
    data_set,
    digits,
    distinct_rows,
    nearest_neighbour,
    new_tasks,
    sequences,
    table,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def toy() -> DataSet:
    """Three classes of 20, 30 and 40 points, each at its own corner."""
    counts = torch.tensor([20, 30, 40])
    return DataSet(torch.eye(3).repeat_interleave(counts, 0), counts)


def test_digits_are_split_and_scaled_by_the_training_images():
    data = digits((0, 1, 2), (7, 8), seeded())
    train, held_out, other = data["train"], data["held out"], data["other digits"]
    assert (train.n_classes, held_out.n_classes, other.n_classes) == (3, 3, 2)
    n_train, n_held_out = len(train.points), len(held_out.points)
    assert n_train + n_held_out == 178 + 182 + 177, "the zeros, ones and twos of the 1,797 images"
    assert n_train == int(0.8 * (n_train + n_held_out))
    std = train.points.std(0)
    torch.testing.assert_close(std[std > 0], torch.ones((std > 0).sum()))
    torch.testing.assert_close(train.points.mean(0), torch.zeros(64), atol=1e-4, rtol=0)
    seen = {tuple(row) for row in train.points.tolist()}
    assert not any(tuple(row) in seen for row in held_out.points.tolist())


@pytest.mark.parametrize(
    "rows, shape, classes",
    [("wine", (178, 13), 3), ("breast cancer", (569, 30), 2), ("iris", (150, 4), 3)],
)
def test_tables(rows, shape, classes):
    assert rows in TABLES
    data = table(rows)
    assert data.points.shape == shape and data.n_classes == classes
    torch.testing.assert_close(data.points.std(0), torch.ones(shape[1]))


def test_points_are_sorted_by_class():
    data = data_set(torch.tensor([[0.0], [10.0], [0.0], [10.0]]), torch.tensor([1, 0, 1, 0]))
    assert data.points[:2].min() > 0 > data.points[2:].max() and data.counts.tolist() == [2, 2]


@settings(max_examples=30)
@given(st.integers(1, 6), st.integers(3, 7), st.integers(0, 99))
def test_a_label_stands_for_one_class_within_a_sequence(batch, n_labels, seed):
    data, g = toy(), seeded(seed)
    tasks = new_tasks(batch, data, 4, n_labels, g)
    assert tasks.A.shape == (batch, 3, 4)
    assert (tasks.rho.sort(1).values.diff(dim=1) > 0).all(), "no two classes share a label"
    examples = sequences(data, tasks, 20, g)
    assert examples.label.min() >= 0 and examples.label.max() < n_labels
    for A, rho, x, label in zip(tasks.A, tasks.rho, examples.x, examples.label):
        classes = torch.cdist(x, A).argmin(1)  # a point of class c is row c of A here
        assert torch.equal(rho[classes], label)


def test_classes_come_evenly_however_many_points_they_have():
    data, g = toy(), seeded()
    tasks = new_tasks(500, data, 4, 3, g)
    label = sequences(data, tasks, 12, g).label
    assert (label.flatten().bincount() / 6000 - 1 / 3).abs().max() < 0.03


def test_no_point_comes_twice_in_a_sequence():
    """A sixth of the late points once repeated an earlier one, whose label stood there to be copied."""
    data, g = DataSet(torch.arange(90.0)[:, None], torch.tensor([30, 60])), seeded()
    for _ in range(20):
        classes = torch.randint(2, (16, 24), generator=g)
        rows = distinct_rows(data, classes, g)
        assert (rows.sort(1).values.diff(dim=1) > 0).all(), "no row twice"
        assert torch.equal((rows >= 30).long(), classes), "each of the class asked for"


def test_every_point_of_a_class_comes_alike():
    data, g = DataSet(torch.arange(9.0)[:, None], torch.tensor([4, 5])), seeded()
    rows = distinct_rows(data, torch.tensor([[0, 1, 0, 0]]).expand(20_000, -1), g)
    first_class = rows[:, [0, 2, 3]].flatten().bincount(minlength=4) / 60_000
    assert (first_class - 1 / 4).abs().max() < 0.01
    last = rows[:, 3].bincount(minlength=4) / 20_000  # the last is as free as the first
    assert (last - 1 / 4).abs().max() < 0.015


def test_the_first_classes_of_a_data_set():
    data = toy()
    assert data.first(2).counts.tolist() == [20, 30] and torch.equal(data.first(2).points, data.points[:50])


def test_projections_keep_the_variance():
    data = DataSet(torch.randn(500, 40, generator=seeded(1)), torch.tensor([250, 250]))
    x = sequences(data, new_tasks(200, data, 16, 2, seeded()), 20, seeded(2)).x
    assert x.std().item() == pytest.approx(1, abs=0.05)


def test_nearest_neighbour_on_a_sequence_done_by_hand():
    x = torch.tensor([[[0.0], [5.0], [0.1], [4.0], [0.2]]])
    label = torch.tensor([[0, 1, 0, 0, 0]])
    assert nearest_neighbour(Batch(x, label)).tolist() == [0, 0, 1, 0, 1]
    assert nearest_neighbour(Batch(x, label), last=1).tolist() == [0, 0, 0, 1, 1], "the point just before"
    assert nearest_neighbour(Batch(x, label), last=4).tolist() == [0, 0, 1, 0, 1], "four are all there are"


def test_pools():
    pool = new_tasks(5, toy(), 4, 3, seeded())
    assert len(pool.first(2)) == 2 and torch.equal(pool.first(2).A, pool.A[:2])
    picked = pool.pick(50, seeded())
    assert len(picked) == 50 and {tuple(a.flatten().tolist()) for a in picked.A} <= {
        tuple(a.flatten().tolist()) for a in pool.A
    }
    one = pool.first(1).pick(3, seeded())
    assert torch.equal(one.A, pool.A[:1].expand(3, -1, -1)), "one task: always that one"


def test_bad_input_is_one_clear_line():
    data = toy()
    with pytest.raises(ValueError, match=r"classes \[0, 10\] are not all there: the data have 10"):
        digits((0, 10), (), seeded())
    with pytest.raises(ValueError, match="3 classes do not fit 2 labels"):
        new_tasks(4, data, 4, 2, seeded())
    with pytest.raises(ValueError, match="a pool of 0 tasks holds nothing"):
        new_tasks(0, data, 4, 3, seeded())
    with pytest.raises(ValueError, match="cannot take 6 tasks from a pool of 5"):
        new_tasks(5, data, 4, 3, seeded()).first(6)
    with pytest.raises(ValueError, match="no example to learn from"):
        sequences(data, new_tasks(1, data, 4, 3, seeded()), 1, seeded())
    with pytest.raises(ValueError, match=r"asks for .* points of a class that has 20: make it shorter"):
        sequences(data, new_tasks(1, data, 4, 3, seeded()), 200, seeded())
    with pytest.raises(ValueError, match="are not all there: the data have 3"):
        data.first(4)
    with pytest.raises(ValueError, match="no table 'titanic': choose from wine"):
        table("titanic")
