"""The language model: causal, its cache, what it writes, what it refuses."""

import pytest
import torch

from snippets.icl.networks.language_model import LanguageModel, losses, write


def made(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def model(n_positions: int = 24) -> LanguageModel:
    found = LanguageModel(20, n_positions, 16, 2, 2, made()).requires_grad_(False)
    found.W_U.data *= 20  # guesses that are far from even
    return found


TOKENS = torch.randint(20, (3, 24), generator=made(1))


def test_no_guess_knows_what_comes():
    other = TOKENS.clone()
    other[:, 9:] = (other[:, 9:] + 1) % 20
    before, after = model()(TOKENS), model()(other)
    assert torch.equal(before[:, :9], after[:, :9])
    assert not torch.allclose(before[:, 9:], after[:, 9:])


def test_guesses_depend_on_the_order_of_the_past():
    other = TOKENS.clone()
    other[:, :8] = other[:, :8].flip(1)
    assert not torch.allclose(model()(TOKENS)[:, 8], model()(other)[:, 8], atol=1e-3)


def test_the_loss_is_minus_the_log_of_what_came():
    guess = model()(TOKENS).softmax(-1)
    for prompt, place in ((0, 0), (2, 22)):
        came = TOKENS[prompt, place + 1]
        expected = -guess[prompt, place, came].log()
        assert losses(model(), TOKENS)[prompt, place] == pytest.approx(float(expected), rel=1e-4)


def test_reading_with_a_cache_is_reading_at_once():
    cache = []
    parts = [model()(TOKENS[:, :5], cache)]
    parts += [model()(TOKENS[:, i : i + 1], cache) for i in range(5, 24)]
    assert torch.allclose(torch.cat(parts, 1), model()(TOKENS), atol=1e-4)
    assert cache[0][0].shape[2] == 24


def test_what_it_writes_begins_as_given_and_has_its_entropy():
    text, entropy = write(model(), TOKENS[:, :4], 24, made(2))
    assert torch.equal(text[:, :4], TOKENS[:, :4])
    guess = model()(text[:, :-1]).log_softmax(-1)[:, 3:]
    assert torch.allclose(entropy, -(guess.exp() * guess).sum(-1), atol=1e-4)


def test_its_own_text_is_drawn_from_its_guesses():
    start = TOKENS[:1, :6].expand(20_000, -1)
    text, entropy = write(model(), start, 7, made(3))
    chances = model()(start[:1])[0, -1].softmax(-1)
    counts = torch.bincount(text[:, 6], minlength=20) / 20_000
    assert (counts - chances).abs().max() < 0.015
    loss = losses(model(), text)[:, -1].mean()
    assert float(loss) == pytest.approx(float(entropy.mean()), abs=0.05)


def test_what_it_cannot_read_is_refused():
    with pytest.raises(ValueError, match="n_heads = 3 does not divide d_model = 16"):
        LanguageModel(20, 8, 16, 1, 3, made())
    with pytest.raises(ValueError, match="25 tokens is longer than the network's 24 positions"):
        model()(torch.zeros(1, 25, dtype=torch.long))
    with pytest.raises(ValueError, match="prompt is empty"):
        model()(torch.zeros(1, 0, dtype=torch.long))
    for wrong in (20, -1):
        with pytest.raises(ValueError, match="the vocabulary is 0 to 19"):
            model()(torch.full((1, 3), wrong))
    cache = []
    model()(TOKENS, cache)
    with pytest.raises(ValueError, match="25 tokens is longer"):
        model()(TOKENS[:, :1], cache)
    cache = []
    model()(TOKENS[:, :4], cache)
    with pytest.raises(ValueError, match="one token at a time"):
        model()(TOKENS[:, 4:6], cache)
    with pytest.raises(ValueError, match="nothing to write"):
        write(model(), TOKENS[:, :4], 4, made())
