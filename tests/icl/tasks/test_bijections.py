"""Secret codes: the posterior by counting codes, and its independence of order."""

from itertools import permutations

import pytest
import torch

from snippets.icl.networks.code_readers import build
from snippets.icl.tasks.bijections import Codes, draw


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("again", [True, False])
def test_the_posterior_counts_the_codes_that_fit(again):
    codes = draw(20, 4, 4, generator(), again)
    found = codes.posterior()
    for row in range(20):
        x, y = codes.x[row].tolist(), codes.y[row].tolist()
        for t in range(4):
            fits = [c for c in permutations(range(4)) if all(c[a] == b for a, b in zip(x[:t], y[:t]))]
            expected = torch.tensor([sum(c[x[t]] == b for c in fits) / len(fits) for b in range(4)])
            torch.testing.assert_close(found[row, t], expected.double())


def test_tokens_hide_the_answer():
    """What is asked at t cannot be seen in tokens up to t, unless it was asked before."""
    codes = draw(50, 5, 6, generator())
    other = Codes(codes.x, codes.y.clone(), 6)
    other.y[:, -1] = (other.y[:, -1] + 1) % 6
    assert torch.equal(codes.tokens(), other.tokens())
    shown = codes.tokens()[:, 1:, :6].argmax(2)
    assert torch.equal(shown, codes.x[:, :-1])


def test_order_does_not_move_the_posterior():
    codes = draw(50, 6, 5, generator())
    turned = codes.reordered(generator(3))
    assert not torch.equal(turned.x, codes.x)
    torch.testing.assert_close(turned.posterior()[:, -1], codes.posterior()[:, -1])


def test_more_questions_than_letters():
    with pytest.raises(ValueError, match="ask at most 4, or set again=True"):
        draw(1, 5, 4, generator(), again=False)
    assert draw(1, 5, 4, generator()).x.shape == (1, 5)


@pytest.mark.parametrize("kind", ["transformer", "lstm", "mlp"])
def test_readers_do_not_look_ahead(kind):
    codes = draw(8, 6, 4, generator())
    network = build(kind, 12, 4, 16, 6, generator())
    for weight in network.parameters():  # first weights are small: make them loud
        weight.data.mul_(2)
    tokens = codes.tokens()
    changed = tokens.clone()
    changed[:, 4:] = changed[:, 4:].flip(2)
    with torch.no_grad():
        before, after = network(tokens), network(changed)
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert (before[:, 4:] - after[:, 4:]).abs().max() > 1e-3


def test_readers_have_the_same_size():
    sizes = [
        sum(p.numel() for p in build(k, 18, 6, 48, 10, generator()).parameters())
        for k in ("transformer", "lstm", "mlp")
    ]
    assert max(sizes) < 1.03 * min(sizes)


def test_readers_that_are_none():
    with pytest.raises(ValueError, match="choose from transformer, lstm, mlp"):
        build("oracle", 18, 6, 48, 10, generator())
    network = build("mlp", 12, 4, 16, 3, generator())
    with pytest.raises(ValueError, match="4 tokens are more than the 3"):
        network(draw(1, 4, 4, generator()).tokens())
