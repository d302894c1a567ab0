"""Chains, their long run and the counting strategies, against computations that share no code with them."""

import math
from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, dirichlet, entropy, kstest

from snippets.icl.networks.markov_network import (
    MarkovNetwork,
    Training,
    attention_back,
    attention_to_followers,
    followers,
)
from snippets.icl.tasks import markov

by_hypothesis = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 10**6)
symbols = st.integers(2, 5)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# priors


@given(symbols, st.integers(1, 2), seeds)
@by_hypothesis
def test_rows_add_to_one(k, order, seed):
    table = markov.dirichlet_chains(4, k, generator(seed), order)
    assert table.shape == (4, k**order, k)
    assert markov.check_table(table) == order


def test_rows_are_dirichlet():
    """A coordinate of Dirichlet(1, 1, 1) is Beta(1, 2); mean and covariance as SciPy says."""
    rows = markov.dirichlet_chains(20_000, 3, generator())[:, 0].double().numpy()
    assert kstest(rows[:, 0], "beta", (1, 2)).pvalue > 1e-3
    assert rows.mean(0) == pytest.approx(dirichlet([1, 1, 1]).mean(), abs=0.01)
    assert np.cov(rows.T) == pytest.approx(dirichlet([1, 1, 1]).cov(), abs=0.005)


@given(st.integers(2, 4), seeds)
@by_hypothesis
def test_doubly_stochastic(k, seed):
    table = markov.doubly_stochastic_chains(5, k, generator(seed))
    assert table.shape == (5, k, k) and (table >= 0).all()
    assert torch.allclose(table.sum(1), torch.ones(5, k), atol=1e-5)
    assert torch.allclose(table.sum(2), torch.ones(5, k), atol=1e-5)
    assert torch.allclose(markov.stationary(table), torch.full((5, k), 1 / k), atol=1e-4)


def test_doubly_stochastic_is_uniform_for_two_symbols():
    """With two symbols one number is free, and it is uniform; with three, one square in eight will do."""
    free = markov.doubly_stochastic_chains(5000, 2, generator())[:, 0, 0].numpy()
    assert kstest(free, "uniform").pvalue > 1e-3
    square = np.random.default_rng(0).random((200_000, 2, 2))
    fits = (square.sum(1) <= 1).all(1) & (square.sum(2) <= 1).all(1) & (square.sum((1, 2)) >= 1)
    assert fits.mean() == pytest.approx(1 / 8, abs=0.003)


# the long run, and sampling


@given(symbols, st.integers(1, 2), seeds)
@by_hypothesis
def test_stationary_is_an_eigenvector(k, order, seed):
    table = markov.dirichlet_chains(1, k, generator(seed), order)
    P = np.zeros((k**order, k**order))
    for context in product(range(k), repeat=order):  # written out, without the arithmetic of markov.py
        for new in range(k):
            i = int("".join(map(str, context)), k)
            j = int("".join(map(str, (*context[1:], new))), k)
            P[i, j] = table[0, i, new]
    assert markov.context_chains(table)[0].numpy() == pytest.approx(P, abs=1e-7)
    values, vectors = np.linalg.eig(P.T)
    pi = np.real(vectors[:, np.argmax(np.real(values))])
    assert markov.stationary(table)[0].tolist() == pytest.approx((pi / pi.sum()).tolist(), abs=1e-5)


@pytest.mark.parametrize("order", [1, 2])
def test_sample_follows_its_chain(order):
    """Counts of (context, next) over many sequences of one chain against what the table says, by chi-square."""
    k, n = 3, 4000
    table = markov.dirichlet_chains(1, k, generator(5), order)
    tokens = markov.sample(table.expand(n, -1, -1), 12, generator(6)).numpy()
    for t in (order - 1, 7):  # at the start, and later: the law of contexts stays
        context = sum(tokens[:, t - back] * k**back for back in range(order))
        expected = n * markov.stationary(table)[0].double().numpy()
        assert chisquare(np.bincount(context, minlength=k**order), expected * n / expected.sum()).pvalue > 1e-3
        for c in range(k**order):
            follow = np.bincount(tokens[context == c, t + 1], minlength=k)
            row = table[0, c].double().numpy()
            assert chisquare(follow, row / row.sum() * follow.sum()).pvalue > 1e-3


def test_sample_is_the_same_for_the_same_seed():
    table = markov.dirichlet_chains(3, 3, generator(1))
    one, two = (markov.sample(table, 20, generator(2)) for _ in range(2))
    assert torch.equal(one, two) and not torch.equal(one, markov.sample(table, 20, generator(3)))


# strategies


def by_loop(tokens: list[int], k: int, order: int) -> list[list[float]]:
    """Counts plus one with a Counter of tuples, as in the source's released code: no matrices."""
    rows = []
    for t in range(len(tokens)):
        seen = Counter(tuple(tokens[s : s + order + 1]) for s in range(t + 1 - order))
        now = tuple(tokens[t + 1 - order : t + 1]) if t + 1 >= order else None
        counts = [1 + (seen[(*now, j)] if now is not None else 0) for j in range(k)]
        rows.append([c / sum(counts) for c in counts])
    return rows


@given(symbols, st.integers(0, 3), st.integers(1, 30), seeds)
@by_hypothesis
def test_counting_against_a_loop(k, order, length, seed):
    tokens = torch.randint(k, (2, length), generator=generator(seed))
    expected = [by_loop(row, k, order) for row in tokens.tolist()]
    assert markov.counting(tokens, k, order).tolist() == pytest.approx(np.array(expected), abs=1e-6)


def test_bigram_is_the_posterior_mean():
    """Average the chains of the prior, each weighted by how likely it makes the sequence: no counting."""
    k, tokens = 3, [0, 1, 0, 1, 1, 2, 0, 1]
    prior = np.random.default_rng(0).dirichlet([1] * k, (400_000, k))
    likelihood = np.prod([prior[:, a, b] for a, b in pairwise(tokens)], 0)  # the start's law left aside
    expected = (likelihood[:, None] * prior[:, tokens[-1]]).sum(0) / likelihood.sum()
    found = markov.counting(torch.tensor([tokens]), k, 1)[0, -1]
    assert found.tolist() == pytest.approx(expected.tolist(), abs=0.005)


@pytest.mark.parametrize("k", [2, 3])
def test_unigram_loss_without_memory(k):
    """Chains whose rows are equal have no memory. Then counts of n symbols are evenly spread over all compositions,
    and the loss of the unigram strategy is a finite sum."""
    n_seen, n = 6, 40_000
    row = markov.dirichlet_chains(n, k, generator(3))[:, :1]
    table = row.expand(n, k, k).contiguous()
    tokens = markov.sample(table, n_seen, generator(4))
    truth = markov.oracle(tokens, table)
    measured = markov.cross_entropy(truth, markov.counting(tokens, k, 0))[:, -1].mean()
    compositions = [c for c in product(range(n_seen + 1), repeat=k) if sum(c) == n_seen]
    predictive = [np.array(c) + 1 for c in compositions]
    exact = np.mean([entropy(p) for p in predictive])  # scipy normalises
    assert float(measured) == pytest.approx(exact, abs=0.01)


def test_mean_row_entropy():
    """Of Dirichlet(1, ..., 1): 1/2 + ... + 1/k, exercise 1."""
    rows = markov.dirichlet_chains(40_000, 3, generator(1))[:, 0]
    measured = -(rows * rows.clamp(min=1e-30).log()).sum(-1).mean()
    assert float(measured) == pytest.approx(1 / 2 + 1 / 3, abs=0.005)


@given(symbols, seeds)
@by_hypothesis
def test_oracle_and_uniform(k, seed):
    table = markov.dirichlet_chains(2, k, generator(seed), 2)
    tokens = markov.sample(table, 10, generator(seed))
    rows = markov.oracle(tokens, table)
    assert torch.equal(rows[1, 5], table[1, tokens[1, 4] * k + tokens[1, 5]])
    assert torch.allclose(rows[:, 0], torch.full((2, k), 1 / k))  # one symbol is no context of two
    loss = markov.cross_entropy(rows, markov.uniform(tokens, k))
    assert torch.allclose(loss, torch.full_like(loss, math.log(k)), atol=1e-6)


@given(symbols, seeds)
@by_hypothesis
def test_divergence_against_scipy(k, seed):
    p, q = markov.dirichlet_chains(2, k, generator(seed))[:, None]
    expected = entropy(p.double().numpy(), q.double().numpy(), axis=-1)
    assert markov.divergence(p, q).numpy() == pytest.approx(expected, abs=1e-5)
    assert markov.cross_entropy(torch.eye(k)[None], torch.eye(k)[None]).abs().max() == 0  # 0 log 0


# the network


def test_network_against_a_loop():
    """One query at a time, with explicit sums over the tokens before it."""
    network = MarkovNetwork(3, 8, (2, 1), 10, generator())
    for bias in network.by_distance:
        bias.data = torch.randn(bias.shape, generator=generator(1))
    tokens = torch.randint(3, (2, 9), generator=generator(2))
    logits, attention = network(tokens)

    def norm(v):
        return v / (v.pow(2).mean() + 1e-6).sqrt()

    x = [network.W_E[token] for token in tokens[1]]
    for layer in range(2):
        out = []
        for t in range(len(x)):
            total = x[t]
            for h in range(len(network.W_Q[layer])):
                Q, K, V, out_of = (getattr(network, f"W_{name}")[layer][h] for name in "QKVO")
                scores = [norm(x[t]) @ Q @ (norm(x[s]) @ K) / 8**0.5 for s in range(t + 1)]
                scores = torch.stack([v + network.by_distance[layer][h, t - s] for s, v in enumerate(scores)])
                weights = scores.softmax(0)
                assert torch.allclose(weights, attention[layer][1, h, t, : t + 1], atol=1e-5)
                total = total + sum(w * (norm(x[s]) @ V @ out_of) for s, w in enumerate(weights))
            out.append(total)
        x = out
    expected = torch.stack([norm(v) @ network.W_U for v in x])
    assert torch.allclose(logits[1], expected, atol=1e-4)


def test_network_does_not_look_ahead():
    network = MarkovNetwork(3, 8, (1, 1), 10, generator())
    tokens = torch.randint(3, (1, 10), generator=generator(1))
    changed = tokens.clone()
    changed[0, 6:] = (changed[0, 6:] + 1) % 3
    assert torch.allclose(network(tokens)[0][0, :6], network(changed)[0][0, :6])


def test_training_takes_a_step_downhill():
    network = MarkovNetwork(2, 8, (1,), 12, generator())
    training = Training(network, 1e-2, 2.0)
    assert [group["lr"] for group in training.optimizer.param_groups] == pytest.approx([1e-2 / 20, 2e-2 / 20])
    sequences = torch.tensor([[0, 1] * 6] * 4)

    @torch.no_grad()
    def loss() -> float:
        return float(-network(sequences[:, :-1])[0].log_softmax(-1).gather(2, sequences[:, 1:, None]).mean())

    before = loss()
    for _ in range(10):
        training.step(sequences)
    assert loss() < before


def test_attention_measures_on_patterns_known_exactly():
    length = 6
    previous = torch.eye(length).roll(-1, 1).tril()  # each row looks one back
    previous[0, 0] = 1
    assert attention_back(previous[None, None], 1).item() == pytest.approx(1)
    assert attention_back(previous[None, None], 2).item() == 0
    tokens = torch.tensor([[0, 1, 0, 0, 1, 2]])
    right = followers(tokens)[0]
    # after an earlier 0 came tokens 1 and 3 and 4; after an earlier 1 came 2 and 5; 2 has not been seen before
    assert right[3].nonzero().flatten().tolist() == [1, 3]
    assert right[4].nonzero().flatten().tolist() == [2]
    assert not right[0].any() and not right[5].any()
    perfect = right.float() + torch.eye(length) * ~right.any(-1)
    perfect = perfect / perfect.sum(-1, keepdim=True)
    assert attention_to_followers(perfect[None, None], tokens).item() == pytest.approx(1)
    assert attention_to_followers(torch.eye(length)[None, None], tokens).item() == pytest.approx(1 / 3)


# bad input


def test_too_many_symbols_for_tries():
    """What the docstring says of 4 symbols, on other tries than the function's own; 5 are refused, not waited for."""
    with pytest.raises(ValueError, match="no doubly stochastic chains of 5 symbols; take 4 at most"):
        markov.doubly_stochastic_chains(1, 5, generator())
    square = torch.rand(400_000, 3, 3, generator=generator())
    wide = torch.cat([square, 1 - square.sum(2, keepdim=True)], 2)
    whole = torch.cat([wide, 1 - wide.sum(1, keepdim=True)], 1)
    share = (whole >= 0).all(2).all(1).float().mean().item()
    assert 1 / 1250 < share < 1 / 850  # 11 / 11340, the volume of these matrices; 400 fall in


@pytest.mark.parametrize("k", [1, 0, -3])
def test_too_few_symbols(k):
    for prior in (markov.dirichlet_chains, markov.doubly_stochastic_chains):
        with pytest.raises(ValueError, match="two symbols"):
            prior(2, k, generator())


@pytest.mark.parametrize("bad", [[0, 3], [-1, 0]])
def test_tokens_out_of_range(bad):
    tokens = torch.tensor([bad])
    for strategy in (markov.uniform, lambda t, k: markov.counting(t, k, 0), lambda t, k: markov.counting(t, k, 1)):
        with pytest.raises(ValueError, match="0 to 2"):
            strategy(tokens, 3)
    with pytest.raises(ValueError, match="0 to 2"):
        MarkovNetwork(3, 8, (1,), 10, generator())(tokens)


def test_sequence_longer_than_the_positions():
    with pytest.raises(ValueError, match="longer than the 10 positions"):
        MarkovNetwork(3, 8, (1,), 10, generator())(torch.zeros(1, 11, dtype=torch.long))


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (torch.tensor([[[0.5, 0.6], [0.5, 0.5]]]), "add to 1"),
        (torch.tensor([[[1.5, -0.5], [0.5, 0.5]]]), "non-negative"),
        (torch.full((1, 3, 2), 0.5), "rows"),
        (torch.full((1, 2, 2), float("nan")), "non-negative"),
    ],
)
def test_no_chain(table, says):
    with pytest.raises(ValueError, match=says):
        markov.sample(table, 5, generator())
    with pytest.raises(ValueError, match=says):
        markov.oracle(torch.zeros(1, 4, dtype=torch.long), table)


def test_other_bad_input():
    table = markov.dirichlet_chains(1, 3, generator(), 2)
    with pytest.raises(ValueError, match="shorter"):
        markov.sample(table, 1, generator())
    attention = torch.eye(4)[None, None]
    for distance in (-1, 4):
        with pytest.raises(ValueError, match="back"):
            attention_back(attention, distance)
    with pytest.raises(ValueError, match="before"):
        attention_to_followers(attention, torch.tensor([[0, 1, 2, 3]]))
    with pytest.raises(ValueError, match="order"):
        markov.counting(torch.tensor([[0, 1]]), 2, -1)
