"""Prompts unlike those of training: each kind is what its name says."""

import pytest
import torch

from snippets.icl.tasks.unlike_training import Exam, every_kind, half, stretched


@pytest.fixture
def kinds() -> dict[str, Exam]:
    return every_kind(200, 6, 3, torch.Generator().manual_seed(0))


def test_kinds_are_what_they_say(kinds):
    plain = kinds["as in training"]
    signs = kinds["orthant"].x.sign()
    assert (signs == signs[:, :1]).all() and not (kinds["orthant"].query.sign() == signs[:, 0]).all()
    assert torch.linalg.matrix_rank(kinds["subspace"].x, atol=1e-4).max() == 1
    with_query = torch.cat([kinds["subspace"].x.mT, kinds["subspace"].query[..., None]], -1)
    assert (torch.linalg.matrix_rank(with_query, atol=1e-4) == 1).all()
    first = kinds["orthogonal"].x[:, :3]
    torch.testing.assert_close(first @ first.mT, 3 * torch.eye(3).expand(200, 3, 3), atol=1e-4, rtol=0)
    torch.testing.assert_close(kinds["query repeats"].answer, plain.y[:, 0])
    for name, scale in (("x halved", 0.5), ("x * 2", 2), ("x * 3", 3), ("y halved", 0.5), ("y * 3", 3)):
        torch.testing.assert_close(kinds[name].y, scale * plain.y)
        torch.testing.assert_close(kinds[name].answer, scale * plain.answer)


def test_skewed_and_subspace_keep_the_mean_square():
    S = stretched(torch.tensor([1.0, 0.5, 1 / 3]), torch.Generator().manual_seed(1))
    lengths = torch.linalg.svdvals(S)
    assert lengths.square().mean().item() == pytest.approx(1, rel=1e-5)
    torch.testing.assert_close(lengths / lengths[0], torch.tensor([1.0, 0.5, 1 / 3]))


def test_half_of_the_dimensions_or_one():
    assert [half(d) for d in (1, 2, 3, 20)] == [1, 1, 1, 10]
