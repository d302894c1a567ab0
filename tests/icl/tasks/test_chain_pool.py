"""Four predictors of sequences from a pool of chains, against direct sums."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.tasks import chain_pool, markov


def drawn(seed: int, K: int = 3, k: int = 3, n: int = 4, length: int = 7):
    g = torch.Generator().manual_seed(seed)
    pool = chain_pool.draw_pool(K, k, g)
    return pool, markov.sample(chain_pool.pick(pool, n, g), length, g)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), K=st.integers(1, 5), k=st.integers(2, 4))
def test_weights_are_bayes_rule(seed, K, k):
    pool, tokens = drawn(seed, K, k)
    law = markov.stationary(pool)
    pairs, symbols = torch.ones(K), torch.ones(K)
    for place, token in enumerate(tokens[0].tolist()):
        pairs = pairs * (law[:, token] if place == 0 else pool[:, tokens[0, place - 1], token])
        symbols = symbols * law[:, token]
        for found, direct in (
            (chain_pool.weights_by_pairs(tokens, pool), pairs),
            (chain_pool.weights_by_symbols(tokens, pool), symbols),
        ):
            torch.testing.assert_close(found[0, place], direct / direct.sum(), atol=1e-4, rtol=1e-3)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), K=st.integers(1, 5), k=st.integers(2, 4))
def test_all_four_are_probabilities_and_look_at_no_later_token(seed, K, k):
    pool, tokens = drawn(seed, K, k)
    changed = tokens.clone()
    changed[:, -1] = (changed[:, -1] + 1) % k
    for one, two in zip(
        chain_pool.four_guesses(tokens, pool).values(), chain_pool.four_guesses(changed, pool).values(), strict=True
    ):
        torch.testing.assert_close(one.sum(-1), torch.ones(tokens.shape))
        torch.testing.assert_close(one[:, :-1], two[:, :-1])


def test_a_pool_of_one_is_the_oracle():
    pool, tokens = drawn(0, K=1)
    guesses = chain_pool.four_guesses(tokens, pool)
    for name in ("memory-1", "memory-2"):
        torch.testing.assert_close(guesses[name], markov.oracle(tokens, pool.expand(4, -1, -1)))


def test_order_matters_to_pairs_and_not_to_symbols():
    pool, tokens = drawn(1, K=6, length=12)
    other = torch.cat([tokens[:, :-1].flip(1), tokens[:, -1:]], 1)  # the same symbols, and the same last
    one, two = chain_pool.four_guesses(tokens, pool), chain_pool.four_guesses(other, pool)
    for name in ("memory-1", "counts-1"):
        torch.testing.assert_close(one[name][:, -1], two[name][:, -1])
    for name in ("memory-2", "counts-2"):
        assert not torch.allclose(one[name][:, -1], two[name][:, -1])


def test_memory_by_pairs_is_best_on_the_pool_and_counting_on_new_chains():
    g = torch.Generator().manual_seed(0)
    pool = chain_pool.draw_pool(4, 3, g)
    for chains, best in ((chain_pool.pick(pool, 400, g), 1), (markov.dirichlet_chains(400, 3, g), 3)):
        tokens = markov.sample(chains, 40, g)
        truth = markov.oracle(tokens, chains)
        guesses = chain_pool.four_guesses(tokens, pool).values()
        losses = [markov.cross_entropy(truth, guess).mean().item() for guess in guesses]
        assert losses.index(min(losses)) == best


def test_names_are_in_order():
    pool, tokens = drawn(0)
    assert tuple(chain_pool.four_guesses(tokens, pool)) == chain_pool.NAMES


@pytest.mark.parametrize(("K", "k", "words"), [(0, 3, "n_chains = 0"), (3, 1, "k = 1"), (2, 0, "k = 0")])
def test_no_pool_is_named(K, k, words):
    with pytest.raises(ValueError, match=words):
        chain_pool.draw_pool(K, k, torch.Generator())


def test_foreign_tokens_are_named():
    pool, tokens = drawn(0)
    with pytest.raises(ValueError, match="tokens run from"):
        chain_pool.four_guesses(tokens + 2, pool)
