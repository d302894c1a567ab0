"""Networks side by side are the same as each by itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.icl.streams import streams
from snippets.icl.tasks.item_label_data import Data, World
from snippets.icl.training.side_by_side import Networks, Training, look, side_by_side, together

SMALL = Training(n_steps=30, batch=8, width=8, look_every=15, n_look=32, n_test=64)
CELLS = [Data(n_classes=8, n_labels=4, d_item=4), Data(n_classes=16, n_labels=4, d_item=4, copies=0)]


def test_a_network_does_not_see_its_neighbours():
    """Other data beside it change nothing: only its own sequences do."""
    alike = side_by_side([CELLS[0], CELLS[0]], SMALL, 0)
    assert alike["step"].tolist() == [0, 15, 30]
    networks = Networks(CELLS, 8, 0)
    tokens = torch.randn(2, 5, 9, 13, generator=torch.Generator().manual_seed(0))
    logits, _, _ = networks(tokens)
    loss = logits[0].square().sum()
    loss.backward()
    for weights in networks.weights.values():
        assert weights.grad[1].abs().max() == 0 and weights.grad[0].abs().max() > 0


def test_all_start_from_the_same_weights():
    for weights in Networks(CELLS, 8, 3).weights.values():
        assert torch.equal(weights[0], weights[1])


def test_the_same_seed_gives_the_same_run_and_another_one_does_not():
    once, again, other = (side_by_side(CELLS, SMALL, seed) for seed in (1, 1, 2))
    for name, values in once.items():
        assert np.array_equal(values, again[name]), name
    assert not np.array_equal(once["label_to_item"], other["label_to_item"])


def test_it_learns_what_is_easy():
    easy = Data(n_classes=4, n_labels=4, d_item=4, copies=0)
    found = side_by_side([easy], replace(SMALL, n_steps=300, batch=32), 0)
    assert found["end_memory"][0] > 0.9 and found["end_best_memory"][0] == 1


def test_ranks_are_asked_apart():
    found = side_by_side(CELLS, SMALL, 0, [range(0, 2), range(2, 8)])
    assert found["end_memory_by_rank"].shape == (2, 2)


def test_the_measures_by_hand():
    """A network that attends as told: measures read the right entries."""
    world = World(CELLS[0], streams(0, 1)[0])
    batch = together([world.novel(6, torch.Generator().manual_seed(0))])

    class Told(Networks):
        def __init__(self) -> None:
            pass

        def __call__(self, tokens):
            first, second = torch.zeros(1, 6, 9, 9), torch.zeros(1, 6, 9)
            first[..., torch.arange(1, 9, 2), torch.arange(0, 8, 2)] = 0.5
            second[..., 1::2] = 0.25 * batch.answer_shown
            return torch.nn.functional.one_hot(batch.answer, 4).float(), first, second

    found = look(Told(), batch, batch)
    assert {name: float(value) for name, value in found.items()} == pytest.approx(
        {"context": 1, "memory": 1, "label_to_item": 0.5, "target_to_label": 0.25, "names_a_shown_label": 1}
    )


def test_what_cannot_be_is_said():
    with pytest.raises(ValueError, match="run the others apart"):
        Networks([CELLS[0], Data()], 8, 0)
    with pytest.raises(ValueError, match="choose adam or sgd"):
        Training(n_steps=1, optimizer="lion")
