"""The gradient by hand, against an automatic one of the whole network; and the task, the first weights, the update."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from snippets.benchmarks.ours import singh

SEEDS = st.integers(0, 2**31)


def rotary(x: Tensor) -> Tensor:
    """x (..., pos, d_head), each pair of numbers turned by position times its frequency."""
    angle = torch.arange(x.shape[-2])[:, None] / 10_000 ** (torch.arange(0, x.shape[-1], 2) / x.shape[-1])
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], -1).flatten(-2)


def attention(x: Tensor, W_QKV: Tensor, W_O: Tensor) -> Tensor:
    q, k, v = (x @ W_QKV).unflatten(-1, (3, singh.HEADS, singh.D_HEAD)).permute(2, 0, 3, 1, 4)
    scores = rotary(q) @ rotary(k).mT / singh.D_HEAD**0.5
    future = torch.ones_like(scores).triu(1).bool()
    return (scores.masked_fill(future, -torch.inf).softmax(-1) @ v).transpose(1, 2).flatten(2) @ W_O


def plain(flat: Tensor, features: Tensor, ids: Tensor) -> Tensor:
    """Every token through every layer."""
    w = singh.parts(flat)
    items = features @ w["W_items"] + w["b_items"]
    x = torch.cat([items, w["W_labels"]])[ids.mT]  # (batch, pos, width)

    def norm(i: int) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], w[f"gain_{i}"], w[f"shift_{i}"])

    x = x + attention(norm(0), w["W_QKV"], w["W_O"])
    x = x + attention(norm(1), torch.cat([w["W_Q"], w["W_KV"]], 1), w["W_O_last"])
    return norm(2)[:, -1] @ w["W_U"] + w["b_U"]


@settings(max_examples=8, deadline=None)
@given(SEEDS, st.integers(1, 6))
def test_the_gradient_by_hand_is_the_automatic_one(seed, batch):
    generator = Generator().manual_seed(seed)
    world = singh.World(generator)
    ids, answer = world.draw(batch)
    flat = singh.first_weights(generator)
    flat = flat + 0.2 * torch.randn(flat.shape, generator=generator)  # also those that start at 0 or 1
    gradient = torch.full_like(flat, torch.nan)  # every number must be written
    logits, back = singh.logits_of(singh.parts(flat), singh.parts(gradient), world.features, ids)
    back((logits.softmax(1) - F.one_hot(answer, singh.LABELS)) / batch)

    flat.requires_grad_()
    expected = plain(flat, world.features, ids)
    torch.testing.assert_close(logits, expected.detach(), rtol=1e-5, atol=2e-5)
    (automatic,) = torch.autograd.grad(F.cross_entropy(expected, answer), flat)
    torch.testing.assert_close(gradient, automatic, rtol=0, atol=5e-6 * automatic.abs().max().item())


def test_a_step_is_adams_on_that_gradient():
    trainer, again, other = singh.trainer(0, rate=0.01), singh.trainer(0, rate=0.01), singh.trainer(1)
    before = trainer.adam.param_groups[0]["params"][0].detach().clone()
    for side in (trainer, again, other):
        side.step()
    after = trainer.adam.param_groups[0]["params"][0].detach()
    g = torch.cat([part.flatten() for part in trainer.gradient.values()])
    torch.testing.assert_close(after, before - 0.01 * g / (g.abs() + singh.EPSILON), rtol=1e-4, atol=1e-6)
    assert all(torch.equal(trainer.weights[name], again.weights[name]) for name in singh.SHAPES)
    assert not torch.equal(trainer.weights["W_items"], other.weights["W_items"])


def test_first_weights_spread_as_the_authors_start_them():
    w = singh.parts(singh.first_weights(Generator().manual_seed(0)))
    for name in ("W_items", "W_QKV", "W_O", "W_KV"):
        assert w[name].std().item() == pytest.approx(w[name].shape[0] ** -0.5, rel=0.03)
    assert w["W_labels"].std().item() == pytest.approx(0.02 * 0.8796, rel=0.15)
    assert all((w[f"gain_{i}"] == 1).all() and (w[f"shift_{i}"] == 0).all() for i in range(3))
    assert (w["b_items"] == 0).all() and (w["b_U"] == 0).all()


def test_each_sequence_shows_the_targets_class_once_with_its_label():
    world = singh.World(Generator().manual_seed(0))
    ids, answer = world.draw(2000)
    first, label, second, other_label, target = ids
    assert (first != second).all()
    assert ((first == target) ^ (second == target)).all()
    assert torch.equal(torch.where(first == target, label, other_label) - singh.CLASSES, answer)
    assert (ids[::2] < singh.CLASSES).all() and (ids[1::2] >= singh.CLASSES).all()
    assert (first == target).float().mean().item() == pytest.approx(0.5, abs=0.05)
    pairs = {tuple(sorted(pair)) for pair in (ids[[1, 3]].mT - singh.CLASSES).tolist()}
    assert pairs == {tuple(pair) for pair in world.pairs.tolist()}
    assert len(pairs) == singh.TRAINED


def test_it_learns_to_copy_the_matching_label():
    trainer = singh.trainer(1000, rate=3e-3)
    before = trainer.look()
    for _ in range(250):
        trainer.step()
    assert before < 0.4  # chance is a fifth
    assert trainer.look() > 0.9
