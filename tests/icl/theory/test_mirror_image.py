"""The mirror image: its loss, and that it is flat where a point beside it is not."""

import pytest
import torch

from snippets.icl.networks.heads_by_hand import Heads, on_average
from snippets.icl.theory.best_rate import least_loss
from snippets.icl.theory.mirror_image import mirror_image, way_down


@pytest.mark.parametrize("d, n", [(2, 3), (5, 8)])
def test_it_has_the_loss_of_rank_one_and_no_way_down(d: int, n: int):
    for seed in range(3):
        heads = mirror_image(d, n, 1.0, torch.Generator().manual_seed(seed))
        assert on_average(heads, 1.0, n)[0].item() == pytest.approx(least_loss(1.0, n, d, rank=1), rel=1e-12)
        assert way_down(heads, 1.0, n) < 1e-12


def test_beside_it_there_is_a_way_down():
    heads = mirror_image(4, 6, 1.0, torch.Generator().manual_seed(0))
    moved = Heads(heads.v, heads.K, 1.1 * heads.Q)
    assert way_down(moved, 1.0, 6) > 1e-4
    tilted = Heads(heads.v + 0.1, heads.K, heads.Q)
    assert way_down(tilted, 1.0, 6) > 1e-4
