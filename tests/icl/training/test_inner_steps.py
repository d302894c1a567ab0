"""Steps on examples: against steps by hand, what moves, how starts are trained, and what is refused."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets.icl.tasks.few_shot import adapt, network, new_weights
from snippets.icl.training import inner_steps as inner
from snippets.icl.training.inner_steps import Steps

WAY = Steps(hidden=5, size=0.02, n_steps=3)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def start(d_in: int = 1, d_out: int = 1, grad: bool = False) -> list[torch.Tensor]:
    return [part.requires_grad_(grad) for part in new_weights((d_in, 5, 5, d_out), seeded())]


def tasks(n: int = 4, shots: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(n, shots, 1, generator=seeded(1))
    return x, torch.sin(x)


@given(n_steps=st.integers(1, 4), shots=st.integers(1, 6))
def test_plain_steps_are_those_of_the_chapter_on_maml(n_steps, shots):
    x, y = tasks(shots=shots)
    ours = inner.fit(start(), WAY, inner.squared, x, y, n_steps)
    theirs = adapt(start(grad=True), x, y, WAY.size, n_steps)
    for one, other in zip(ours, theirs):
        torch.testing.assert_close(one, other)


def test_adam_is_torchs():
    x, y = tasks(n=1)
    way = replace(WAY, adam=True, start="random")
    ours = inner.fit(start(), way, inner.squared, x, y, 5)
    theirs = start(grad=True)
    optimizer = torch.optim.Adam(theirs, way.size)
    for _ in range(5):
        optimizer.zero_grad()
        (network(theirs, x[0]) - y[0]).square().mean().backward()
        optimizer.step()
    for one, other in zip(ours, theirs):
        torch.testing.assert_close(one[0], other, atol=1e-5, rtol=1e-4)


def test_the_last_layer_alone_moves():
    x, y = tasks()
    begin = start()
    w = inner.fit(begin, replace(WAY, last_only=True), inner.squared, x, y, 3)
    for place, (before, after) in enumerate(zip(begin, w)):
        assert torch.equal(after, before.expand_as(after)) == (place < 4)


def test_each_task_is_learned_by_itself():
    x, y = tasks()
    together = inner.fit(start(), WAY, inner.squared, x, y, 3)
    alone = inner.fit(start(), WAY, inner.squared, x[2:3], y[2:3], 3)
    torch.testing.assert_close(together[0][2], alone[0][0])


def test_the_outer_gradient_of_first_order_leaves_out_the_steps_curvature():
    x, y = tasks()

    def gradient(kind):
        begin = start(grad=True)
        loss = inner.outer_loss(begin, replace(WAY, start=kind), inner.squared, x, y, 3)
        return loss.item(), torch.autograd.grad(loss, begin)[0]

    (maml, full), (first, short), (pooled, _) = map(gradient, ("maml", "first order", "pretrained"))
    assert maml == pytest.approx(first) and pooled != pytest.approx(maml)
    assert (full - short).abs().max() > 1e-4
    # by hand: the outer loss after one step, differentiated numerically
    one = replace(WAY, trained_for=1)
    begin = [part.double() for part in start()]
    x, y = x.double(), y.double()
    loss = lambda w: inner.outer_loss(w, one, inner.squared, x, y, 3)  # noqa: E731
    slope = torch.autograd.grad(loss([p.requires_grad_() for p in begin]), begin)[4]
    moved = [part.detach().clone() for part in begin]
    moved[4][0, 0] += 1e-5
    up = loss([p.requires_grad_() for p in moved]).item()
    moved = [part.detach().clone() for part in moved]
    moved[4][0, 0] -= 2e-5
    down = loss([p.requires_grad_() for p in moved]).item()
    assert slope[0, 0].item() == pytest.approx((up - down) / 2e-5, rel=1e-4)


def test_cross_entropy_is_torchs():
    said, label = torch.randn(3, 7, 5, generator=seeded()), torch.randint(5, (3, 7), generator=seeded())
    expected = torch.nn.functional.cross_entropy(said[1], label[1])
    found = inner.cross_entropy(said, torch.nn.functional.one_hot(label, 5).float())
    torch.testing.assert_close(found[1], expected)


def test_a_trained_start_learns_faster_than_a_random_one():
    draw = lambda: tasks(16)  # noqa: E731
    way = replace(WAY, rate=0.01)
    trained = inner.trained_start(way, inner.squared, draw, 60, seeded(), seeded())
    random = inner.trained_start(replace(way, start="random"), inner.squared, draw, 60, seeded(), seeded())
    assert all(torch.equal(a, b) for a, b in zip(random, start()))
    x, y = tasks()
    left = [inner.squared(inner.answers(w, way, inner.squared, x, y, x), y).mean() for w in (trained, random)]
    assert left[0] < 0.7 * left[1]


def test_what_teaches_nothing_is_refused():
    x, y = tasks()
    with pytest.raises(ValueError, match=r"^zero examples: there is nothing to learn from"):
        inner.answers(start(), WAY, inner.squared, x[:, :0], y[:, :0], x)
    for bad in (replace(WAY, n_steps=0), replace(WAY, trained_for=0)):
        with pytest.raises(ValueError, match=r"^0 steps on the examples teach nothing"):
            inner.check(bad)
    with pytest.raises(ValueError, match=r"^no start 'reptile': choose from maml, first order, pretrained, random$"):
        inner.trained_start(replace(WAY, start="reptile"), inner.squared, tasks, 1, seeded(), seeded())


def test_steps_that_diverge_are_named_with_their_size():
    x, y = tasks()
    wild = replace(WAY, size=30.0)
    with pytest.raises(ValueError, match=r"^step size 30 diverges \(maml start\): 3 steps take the median"):
        inner.answers(start(), wild, inner.squared, x, y, x)
    assert inner.answers(start(), wild, inner.squared, x, y, x, strict=False).shape == x.shape
    with pytest.raises(ValueError, match=r"^step size 1e\+20 diverges .* while the start is trained"):
        inner.trained_start(replace(WAY, size=1e20), inner.squared, tasks, 2, seeded(), seeded())
