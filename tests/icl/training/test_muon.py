"""Muon: singular values driven to about one, blocks cut and joined, and descent."""

import pytest
import torch

from snippets.icl.training.muon import Muon, cut, even_out, join


def test_singular_values_come_near_one_and_directions_stay():
    generator = torch.Generator().manual_seed(0)
    U, _, Vh = torch.linalg.svd(torch.randn(3, 8, 8, generator=generator))
    S = torch.logspace(-1, 2, 8)
    turned = even_out(U @ S.diag() @ Vh, 5)
    inside = U.mT @ turned @ Vh.mT  # diagonal, if no direction has moved
    assert (inside - torch.diag_embed(inside.diagonal(dim1=1, dim2=2))).abs().max() < 1e-3
    large = inside.diagonal(dim1=1, dim2=2)[:, 2:]  # over 0.005 of the norm
    assert large.min() > 0.6 and large.max() < 1.25


def test_the_scale_of_the_gradient_does_not_matter():
    M = torch.randn(2, 4, 4, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(even_out(M), even_out(1000 * M), rtol=1e-4, atol=1e-4)
    assert (even_out(torch.zeros(1, 4, 4)) == 0).all()


def test_blocks_are_cut_and_joined():
    weight = torch.arange(4 * 6.0).view(4, 6)
    blocks = cut(weight, 2)
    assert blocks.shape == (2 * 3, 2, 2)
    torch.testing.assert_close(blocks[1], weight[:2, 2:4])
    torch.testing.assert_close(join(blocks, weight), weight)


def test_it_descends_and_moves_every_direction_alike():
    target = torch.diag(torch.tensor([10.0, 0.1, 1.0, 3.0]))
    weight = torch.nn.Parameter(torch.zeros(4, 4))
    muon = Muon([weight], lr=0.05, width=4)
    (weight - target).square().sum().backward()
    muon.step()
    moved = weight.detach().diagonal()
    assert (moved > 0.03).all() and (moved < 0.06).all()


def test_momentum_carries_on():
    weight = torch.nn.Parameter(torch.zeros(2, 2))
    muon = Muon([weight], lr=0.1, width=2, momentum=0.5)
    for gradient in (torch.eye(2), torch.zeros(2, 2)):
        weight.grad = gradient
        before = weight.detach().clone()
        muon.step()
        assert (weight.detach() - before).diagonal().max() < -0.05


@pytest.mark.parametrize("shape", [(1, 4, 4), (4, 6), (6, 4)])
def test_a_weight_that_does_not_divide_is_an_error(shape):
    with pytest.raises(ValueError, match="blocks of 4 by 4"):
        Muon([torch.nn.Parameter(torch.zeros(shape))], lr=0.1, width=4)
