"""The exact predictor of a mixture, against a sum over every path and concept."""

from itertools import pairwise, product

import pytest
import torch

from snippets.icl.theory.forward_algorithm import Mixture, predict


def mixture(seed: int = 0, concepts: int = 2, states: int = 3, tokens: int = 4) -> Mixture:
    g = torch.Generator().manual_seed(seed)

    def rows(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=g).double().softmax(-1)

    return Mixture(rows(concepts), rows(states), 3 * rows(concepts, states, states) ** 2, rows(states, tokens))


def proper(m: Mixture) -> Mixture:
    return m._replace(move=m.move / m.move.sum(-1, keepdim=True))


def by_paths(m: Mixture, text: list[int]) -> torch.Tensor:
    """p(concept, text), the long way."""
    found = torch.zeros(len(m.weight)).double()
    for c, path in product(range(len(m.weight)), product(range(len(m.start)), repeat=len(text))):
        p = m.weight[c] * m.start[path[0]]
        for here, there in pairwise(path):
            p = p * m.move[c, here, there]
        for state, token in zip(path, text):
            p = p * m.emit[state, token]
        found[c] += p
    return found


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_sum_over_paths(seed):
    m, text = proper(mixture(seed)), [1, 3, 0]
    following, concept = predict(m, torch.tensor([text]))
    together = by_paths(m, text)
    torch.testing.assert_close(concept[0, -1], together / together.sum())
    for token in range(4):
        expected = by_paths(m, [*text, token]).sum() / together.sum()
        assert following[0, -1, token].item() == pytest.approx(expected.item())


def test_probabilities():
    following, concept = predict(proper(mixture()), torch.randint(4, (5, 6)))
    torch.testing.assert_close(following.sum(2), torch.ones(5, 6).double())
    torch.testing.assert_close(concept.sum(2), torch.ones(5, 6).double())


def test_bad_input_is_named():
    good = proper(mixture())
    with pytest.raises(ValueError, match="make each sum to 1"):
        predict(good._replace(move=2 * good.move), torch.tensor([[0]]))
    with pytest.raises(ValueError, match="token ids run from 4 to 4"):
        predict(good, torch.tensor([[4]]))
    with pytest.raises(ValueError, match="at least one"):
        predict(good, torch.zeros(1, 0, dtype=torch.long))
    silent = good.emit.clone()
    silent[:, 0] += silent[:, 2]
    silent[:, 2] = 0
    with pytest.raises(ValueError, match="token 2 is emitted by no state"):
        predict(good._replace(emit=silent), torch.tensor([[0, 2]]))
