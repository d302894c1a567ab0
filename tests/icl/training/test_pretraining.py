"""The same tokens with more and less before them, by brute force; a few steps of training."""

import pytest
import torch

from snippets.icl.networks.language_model import losses
from snippets.icl.training.pretraining import Pretraining, new_model, pretrain, with_context

SMALL = Pretraining(n_vocab=30, context=24, d_model=16, n_layers=1, n_heads=2, batch=8, n_steps=40)


@torch.no_grad()
def test_the_same_tokens_by_brute_force():
    model = new_model(SMALL, torch.Generator().manual_seed(0))
    row = torch.randint(30, (90,), generator=torch.Generator().manual_seed(1))
    targets = range(30, 42)
    found = with_context(model, row, targets, 24, 6)
    assert found.shape == (4, 12)
    for block in range(4):
        for place, target in enumerate(targets):
            before = 6 * block + place % 6 + 1
            alone = losses(model, row[None, target - before : target + 1])[0, -1]
            assert float(found[block, place]) == pytest.approx(float(alone), abs=1e-4)


def test_what_does_not_fit_is_refused():
    model = new_model(SMALL, torch.Generator())
    row = torch.zeros(90, dtype=torch.long)
    with pytest.raises(ValueError, match="stride = 5 must divide"):
        with_context(model, row, range(30, 42), 24, 5)
    for targets in (range(20, 32), range(60, 72)):
        with pytest.raises(ValueError, match="need 24 tokens before and after"):
            with_context(model, row, targets, 24, 6)


def test_a_row_that_counts_is_learned():
    model = new_model(SMALL, torch.Generator().manual_seed(0))
    row = torch.arange(600) % 30
    kept = (torch.arange(25) + 7)[None] % 30
    before = losses(model, kept).mean().item()
    for _ in pretrain(model, row, SMALL, torch.Generator().manual_seed(1)):
        pass
    assert before > 3
    assert losses(model, kept).mean().item() < before - 1
