"""Streams are independent, repeat, and do not depend on how many are asked for."""

import torch

from snippets.icl.streams import streams


def draws(seed: int, n: int) -> torch.Tensor:
    return torch.stack([torch.randn(10_000, generator=g) for g in streams(seed, n)])


def test_they_repeat_and_are_prefixes_of_each_other():
    assert torch.equal(draws(3, 2), draws(3, 4)[:2])


def test_no_two_streams_share_draws_also_shifted():
    """Two streams of one seed, and the same stream of two seeds, have no value in common."""
    values = torch.cat([draws(0, 3), draws(1, 3)]).double().flatten()
    assert len(values.unique()) > 0.99 * len(values)  # float32 normals collide by chance now and then


def test_they_are_not_correlated():
    found = torch.corrcoef(torch.cat([draws(0, 4), draws(1, 4)]))
    off = found - torch.eye(8)
    assert off.abs().max() < 0.05  # five standard deviations of the correlation of 10,000 pairs
