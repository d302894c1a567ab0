"""Dominoes: the answers, the decomposition, the ablations and what their claims say."""

import dataclasses
import math
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from snippets.icl.networks.parts import normal
from snippets.icl.networks.self_attention import layer_norm
from snippets.mechanisms import who_does_what as who
from snippets.mechanisms.figures import who_does_what as figures

SMALL = who.Config(n_tiles=5, d_model=8, d_mlp=16, batch=4, n_steps=3, n_test=8)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def made(seed: int = 0, **changes) -> who.Transformer:
    config = dataclasses.replace(SMALL, **changes)
    return who.Transformer(config, generator(seed)).double().requires_grad_(False)


def tiles(n: int = 6, seed: int = 1) -> torch.Tensor:
    return who.draw_tiles(n, SMALL.n_tiles, SMALL.n_values, generator(seed))


def test_answers():
    row = torch.tensor([[[1, 5], [6, 2], [4, 4]]])
    assert who.answers(row, 7).tolist() == [[[2, 5, 1, 4], [4, 2, 1, 6]]]  # own, neighbour's, own sum, touching


def test_tiles_show_all_values():
    assert tiles(200).unique().tolist() == list(range(7))


def test_contributions_add_up_to_the_logits():
    network = made()
    logits, writes = network(tiles())
    parts = who.contributions(network, writes)
    assert list(parts) == ["left half", "right half", "position", "head 1", "head 2", "MLP"]
    assert torch.allclose(torch.stack(list(parts.values())).sum(0), logits, atol=1e-12)


def test_a_part_that_is_off_writes_nothing():
    network = made()
    _, writes = network(tiles(), ["attention"])
    assert (writes["head 1"] == 0).all() and (writes["head 2"] == 0).all() and (writes["MLP"] != 0).any()
    _, writes = network(tiles(), ["MLP"])
    assert (writes["MLP"] == 0).all() and (writes["head 1"] != 0).any()


def test_only_attention_lets_neighbours_in():
    network = made()
    assert who.moved_by_neighbours(network, tiles()) > 0
    assert who.moved_by_neighbours(network, tiles(), ["MLP"]) > 0
    assert who.moved_by_neighbours(network, tiles(), ["attention"]) == 0


def test_lift_on_made_up_logits():
    right = torch.tensor([[[2, 0, 1, 1]]])
    logits = torch.zeros(1, 2, 4, 3)
    logits[0, 0] = 99  # the first tile does not count
    logits[0, 1, 0] = torch.tensor([1.0, 3.0, 5.0])
    assert who.lift(logits, right).tolist() == [3, 0, 0, 0]


def test_accuracy_counts_right_answers(monkeypatch):
    network, some = made(), tiles()
    right = who.answers(some, 7)
    logits = torch.zeros(*some.shape[:2], 4, 7, dtype=torch.float64)
    logits[:, 1:] = F.one_hot(right, 7).double()
    logits[:, 1:, 3] = F.one_hot((right[..., 3] + 1) % 7, 7).double()  # the last answer is always wrong
    monkeypatch.setattr(who.Transformer, "forward", lambda self, tiles, off=(): (logits, {}))
    assert who.accuracy(network, some).tolist() == [1, 1, 1, 0]


def test_a_sum_cannot_be_read_by_adding_logits():
    """Exercise 4: the best logits f_c(a) + g_c(b) have the loss ln 7, though not the accuracy of a blind guess."""
    a, b = torch.tensor(list(product(range(7), repeat=2))).T
    target = (a + b) % 7
    f = torch.zeros(2, 7, 7, dtype=torch.float64, requires_grad=True)
    loss = F.cross_entropy(f[0, a] + f[1, b], target)
    assert loss.item() == pytest.approx(math.log(7))
    loss.backward()
    assert f.grad is not None and f.grad.abs().max() < 1e-15  # convex, and no slope: it is the least
    c = torch.arange(7)
    guess = (2 * c * (a + b)[:, None] - c**2).argmax(-1)
    assert (guess == target).sum() == 28


def test_a_layer_norm_breaks_the_bound():
    """Exercise 4: embeddings, a norm and W_U, and no other part, come below ln 7: dividing by sigma(a, b) is no sum."""
    a, b = torch.tensor(list(product(range(7), repeat=2))).T
    left, right, W_U = (normal(7, 16, std=1.0, generator=generator(i)) for i in range(3))
    optimizer = torch.optim.Adam([left, right, W_U], 0.02)
    for _ in range(400):
        loss = F.cross_entropy(layer_norm(left[a] + right[b]) @ W_U.T, (a + b) % 7)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < math.log(7) - 0.2


def test_loss_by_question():
    right = torch.tensor([[[2, 0, 1, 1]]])
    logits = torch.zeros(1, 2, 4, 3)
    logits[0, 1, 0] = torch.tensor([0.0, 0.0, math.log(2)])
    assert who.loss_by_question(logits, right).tolist() == pytest.approx([math.log(2), *[math.log(3)] * 3])


GOOD = {
    "accuracy": np.ones(4),
    "accuracy_no_attention": np.array([1, 0.14, 1, 0.14]),
    "accuracy_no_mlp": np.array([0.8, 1, 0.15, 0.15]),
    "decomposition_error": 1e-15,
    "lift": np.array([[0, 0, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0], [0, 4, 0, 0], [0, 2, 0, 0], [4, 1, 8, 8]], float),
    "moved_no_attention": 0.0,
}


def test_shares():
    assert who.share(GOOD, "attention", "neighbour's half") == pytest.approx(6 / 7)
    assert who.share(GOOD, "MLP", "own half") == pytest.approx(4 / 7)


def test_each_claim_can_hold_and_can_fail():
    good = {
        "whole": GOOD,
        "no-attention": {"accuracy": np.array([1, 0.14, 1, 0.14])},
        "no-mlp": {"accuracy": np.array([1, 1, 0.6, 0.16])},
        "neither": {"accuracy": np.array([1, 0.14, 0.3, 0.14]), "loss": np.array([0, 1.95, 1.5, 1.95])},
    }
    even = {
        **{name: np.array([0.4, 0.4, 0.4, 0.4]) for name in GOOD if name.startswith("accuracy")},
        "decomposition_error": 0.01,
        "lift": np.ones((6, 4)),
        "moved_no_attention": 1e-9,
    }
    bad = {
        "whole": even,
        "no-attention": {"accuracy": np.full(4, 0.4)},
        "no-mlp": {"accuracy": np.array([1, 1, 0.2, 0.6])},
        "neither": {"accuracy": np.full(4, 0.5), "loss": np.full(4, 1.95)},
    }
    for claim in who.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_a_missing_part_is_never_trained():
    network = made().requires_grad_(True)
    network(tiles(), ["MLP"])[0].sum().backward()
    assert network.W_up.grad is None and network.W_down.grad is None and network.W_U.grad is not None


def test_a_short_run_is_finite_and_repeats():
    cells = {name: config.missing for name, config in who.PRESETS["laptop"].items()}
    runs = []
    for seed in (5, 5, 6):
        runs.append({cell: who.run(dataclasses.replace(SMALL, missing=parts), seed) for cell, parts in cells.items()})
    one, two, other = runs
    for cell in cells:
        for name in one[cell]:
            assert np.isfinite(one[cell][name]).all(), name
            np.testing.assert_array_equal(one[cell][name], two[cell][name])
    assert np.abs(one["whole"]["lift"] - other["whole"]["lift"]).max() > 1e-3
    assert set(figures.draw([one, other])) == {"writes", "ablations"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (torch.full((1, 3, 2), 7), "halves run from 7 to 7; this network knows 0 to 6"),
        (torch.full((1, 3, 2), -1), "halves run from -1"),
        (torch.zeros(1, 0, 2, dtype=torch.long), "the prompt is empty"),
        (torch.zeros(1, 6, 2, dtype=torch.long), "6 tokens is longer than the 5 positions"),
    ],
)
def test_what_it_cannot_read(given, says):
    with pytest.raises(ValueError, match=says):
        made()(given)


def test_a_part_that_does_not_exist_and_heads_that_do_not_divide():
    with pytest.raises(ValueError, match="there is no part 'head': choose from attention, MLP"):
        made()(tiles(), ["head"])
    with pytest.raises(ValueError, match="d_model = 8 is not divisible by n_heads = 3"):
        made(n_heads=3)
