"""The map: the browser's walk, mixing, plane and correlation against Python's; and no input breaks it."""

import numpy as np
import pytest
import torch

from snippets.icl.tasks.graph_walk import grid, ring, steps_between
from snippets.icl.theory.neighbour_mixing import likeness, mixing, plane, shares_before

pytestmark = pytest.mark.browser
NAME = "map_in_context"
ALL = """(it, [kind, steps, d, keeps, seed]) => {
    const next = it.uniform(seed), beside = it.neighbours(kind, 4), path = it.walk(beside, steps, next);
    const E = it.vectors(16, d, next), P = it.sharesBefore(path, 16), points = it.plane(it.mixed(P, E, keeps));
    const apart = it.stepsBetween(beside), turned = it.turned(points, points.map(([x, y]) => [y, -x]));
    return { beside, path, E, P, points, apart, likeness: it.likeness(points, apart), turned };
}"""


@pytest.fixture
def figure(mounted):
    return mounted(NAME, {})


def distances(points) -> np.ndarray:
    points = np.asarray(points)
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


@pytest.mark.parametrize(
    "kind, steps, d, keeps",
    [("board", 1, 16, True), ("board", 300, 64, True), ("ring", 900, 256, True), ("board", 900, 64, False)],
)
def test_the_browser_computes_what_python_does(figure, kind, steps, d, keeps):
    found = figure.compute(NAME, ALL, [kind, steps, d, keeps, 5])
    graph = grid(4) if kind == "board" else ring(16)
    for word, beside in enumerate(found["beside"]):
        assert sorted(beside) == graph[word].nonzero()[:, 0].tolist()
    np.testing.assert_array_equal(found["apart"], steps_between(graph))
    path, E = torch.tensor([found["path"]]), torch.tensor(found["E"], dtype=torch.float64)
    assert len(found["path"]) == steps + 1
    assert all(graph[a, b] for a, b in zip(found["path"], found["path"][1:]))
    P = shares_before(path, 16)
    np.testing.assert_allclose(found["P"], P[0], atol=1e-12)
    points = plane(mixing(P, keeps) @ E)[0]
    np.testing.assert_allclose(distances(found["points"]), distances(points), atol=1e-6)
    assert found["likeness"] == pytest.approx(likeness(points, steps_between(graph)).item(), abs=1e-6)


def test_turning_changes_no_distance_and_finds_the_way_back(figure):
    found = figure.compute(NAME, ALL, ["board", 300, 64, True, 2])
    np.testing.assert_allclose(found["turned"], [[y, -x] for x, y in found["points"]], atol=1e-9)
    mirrored = figure.compute(NAME, "(it, p) => it.turned(p, p.map(([x, y]) => [x, -y]))", found["points"])
    np.testing.assert_allclose(mirrored, [[x, -y] for x, y in found["points"]], atol=1e-9)


def test_vectors_have_the_expected_length(figure):
    E = np.array(figure.compute(NAME, "(it) => it.vectors(16, 1024, it.uniform(3))"))
    assert np.square(E).sum(1).mean() == pytest.approx(1, abs=0.05) and abs(E.mean()) < 0.002


def test_a_walk_of_no_steps_is_refused_in_words(figure):
    with pytest.raises(Exception, match="no steps"):
        figure.compute(NAME, "(it) => it.sharesBefore([3], 16)")


def test_longer_walks_unfold_it_and_bad_input_leaves_it_usable(figure):
    figure.slide("steps of the walk", 3)
    early = float(figure.note.rstrip(".").split("by ")[-1].replace("−", "-"))
    figure.slide("steps of the walk", 11)
    assert "After 2,048 steps" in figure.note
    assert float(figure.note.rstrip(".").split("by ")[-1]) > early + 0.3
    figure.not_a_number("steps of the walk")
    figure.slide("steps of the walk", 0)
    assert "After 1 step," in figure.note
    figure.page.get_by_label("graph").select_option("ring")
    figure.page.get_by_role("button").click()
    assert "on the ring" in figure.note


def test_it_is_accessible_and_fits(figure):
    assert figure.problems() == []
