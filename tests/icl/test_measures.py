"""The field's measures on hand-built heads whose score is known, and against computations done another way."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl import measures as m
from snippets.icl.networks.small_transformer import SmallTransformer

by_hypothesis = settings(max_examples=30, deadline=None)
seeds = st.integers(0, 10**6)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def one_hot_pattern(keys: list[int]) -> torch.Tensor:
    """A head that puts all attention of query q on keys[q]."""
    return torch.eye(len(keys))[torch.tensor(keys)][None, None]


def random_pattern(batch: int, heads: int, length: int, seed: int) -> torch.Tensor:
    scores = torch.randn(batch, heads, length, length, generator=seeded(seed))
    return scores.masked_fill(torch.ones(length, length).triu(1).bool(), -torch.inf).softmax(-1)


# the ICL score


def test_icl_score_is_late_minus_early_and_negative_where_context_helps():
    loss = torch.tensor([[5.0, 4.0, 2.0, 1.0], [3.0, 2.0, 2.0, 1.0]])
    assert m.icl_score(loss, slice(0, 2), slice(2, 4)).item() == pytest.approx(1.5 - 3.5)
    assert m.icl_score(loss, slice(0, 1), slice(-1, None)).item() == pytest.approx(-3)


@pytest.mark.parametrize(("early", "late"), [(slice(4, 9), slice(0, 1)), (slice(0, 1), slice(2, 2))])
def test_icl_score_of_nothing_is_an_error(early, late):
    with pytest.raises(ValueError, match="no loss to average"):
        m.icl_score(torch.ones(2, 4), early, late)


# prefix matching


def test_prefix_matching_of_a_perfect_induction_head_is_one():
    tokens = torch.tensor([[3, 1, 4, 3, 1, 4]])
    assert m.prefix_matching(one_hot_pattern([0, 0, 0, 1, 2, 3]), tokens).tolist() == [1]


def test_prefix_matching_of_heads_that_look_elsewhere_is_zero():
    tokens = torch.tensor([[3, 1, 4, 3, 1, 4]])
    previous = one_hot_pattern([0, 0, 1, 2, 3, 4])
    same_token = one_hot_pattern([0, 1, 2, 0, 1, 2])  # matches, but not what came after
    assert m.prefix_matching(torch.cat([previous, same_token], 1), tokens).tolist() == [0, 0]


def test_prefix_matching_of_uniform_attention():
    """Queries 2 and 3 of a b a b: one of three keys, one of four. Repeats of one token count the token itself."""
    uniform = torch.ones(4, 4).tril() / torch.arange(1, 5)[:, None]
    assert m.prefix_matching(uniform[None, None], torch.tensor([[0, 1, 0, 1]])).item() == pytest.approx(
        (1 / 3 + 1 / 4) / 2
    )
    assert m.prefix_matching(uniform[None, None], torch.tensor([[7, 7, 7, 7]])).item() == pytest.approx(
        (1 / 2 + 2 / 3 + 3 / 4) / 3
    )


@given(seeds, st.integers(2, 9), st.integers(2, 12))
@by_hypothesis
def test_prefix_matching_against_loops(seed, n_vocab, length):
    tokens = torch.randint(n_vocab, (3, length), generator=seeded(seed))
    pattern = random_pattern(3, 2, length, seed)
    where = torch.rand(3, length, generator=seeded(seed)) < 0.8
    for head in range(2):
        scores = []
        for b in range(3):
            for q in range(length):
                earlier = [p for p in range(q) if tokens[b, p] == tokens[b, q]]
                if earlier and where[b, q]:
                    scores.append(sum(float(pattern[b, head, q, p + 1]) for p in earlier))
        if scores:
            found = m.prefix_matching(pattern, tokens, where)[head].item()
            assert found == pytest.approx(sum(scores) / len(scores), abs=1e-5)
        else:
            with pytest.raises(ValueError, match="no query"):
                m.prefix_matching(pattern, tokens, where)


def test_prefix_matching_with_an_empty_mask_or_without_repeats_is_an_error():
    pattern = random_pattern(1, 1, 4, 0)
    with pytest.raises(ValueError, match="no query to average over"):
        m.prefix_matching(pattern, torch.tensor([[0, 1, 0, 1]]), torch.zeros(1, 4, dtype=torch.bool))
    with pytest.raises(ValueError, match="occurred earlier"):
        m.prefix_matching(pattern, torch.tensor([[0, 1, 2, 3]]))


def test_random_repeats_repeat_different_tokens():
    tokens = m.random_repeats(32, 25, 4, 8, seeded())
    assert tokens.shape == (8, 100)
    assert torch.equal(tokens[:, :25], tokens[:, 75:])
    assert all(len(set(row.tolist())) == 25 for row in tokens)
    assert len({tuple(row.tolist()) for row in tokens}) == 8


@pytest.mark.parametrize(("length", "copies", "batch"), [(33, 4, 1), (0, 4, 1), (4, 0, 1), (4, 2, 0)])
def test_random_repeats_that_cannot_be(length, copies, batch):
    with pytest.raises(ValueError, match="cannot repeat"):
        m.random_repeats(32, length, copies, batch, seeded())


# the previous-token score


def test_previous_token_of_known_heads():
    assert m.previous_token(one_hot_pattern([0, 0, 1, 2])).tolist() == [1]
    assert m.previous_token(one_hot_pattern([0, 1, 2, 3])).tolist() == [0]
    uniform = torch.ones(4, 4).tril() / torch.arange(1, 5)[:, None]
    assert m.previous_token(uniform[None, None]).item() == pytest.approx((1 / 2 + 1 / 3 + 1 / 4) / 3)


@given(seeds, st.integers(2, 9))
@by_hypothesis
def test_previous_token_against_loops(seed, length):
    pattern = random_pattern(3, 2, length, seed)
    for head in range(2):
        scores = [float(pattern[b, head, q, q - 1]) for b in range(3) for q in range(1, length)]
        assert m.previous_token(pattern)[head].item() == pytest.approx(sum(scores) / len(scores), abs=1e-6)


def test_previous_token_of_one_token_is_an_error():
    with pytest.raises(ValueError, match="no previous token"):
        m.previous_token(torch.ones(1, 1, 1, 1))


# eigenvalues


def test_copying_of_known_heads():
    """With tokens as unit vectors the OV circuit is W_V W_O."""
    one = torch.eye(6)
    assert m.copying(one, one, one, one) == pytest.approx(1)
    assert m.copying(one, one, -one, one) == pytest.approx(-1)
    signs = torch.diag(torch.tensor([1.0, 1, 1, 1, -1, -1]))
    assert m.copying(one, one, signs, one) == pytest.approx((4 - 2) / 6)
    next_token = one.roll(1, 1)  # raises the next token, never itself: roots of unity
    assert m.copying(one, one, next_token, one) == pytest.approx(0, abs=1e-6)


@given(seeds, st.integers(2, 20), st.integers(1, 12), st.integers(1, 5))
@by_hypothesis
def test_eigenvalues_on_the_small_product_are_those_of_the_large_one(seed, n_vocab, d_model, d_head):
    d_head = min(d_head, d_model, n_vocab)
    g = seeded(seed)
    W_E, W_U = (torch.randn(*s, generator=g, dtype=torch.float64) for s in ((n_vocab, d_model), (d_model, n_vocab)))
    W_V, W_O = (torch.randn(*s, generator=g, dtype=torch.float64) for s in ((d_model, d_head), (d_head, d_model)))
    large = np.linalg.eigvals((W_E @ W_V @ W_O @ W_U).numpy())  # V x V, most of them rounding errors
    large = large[np.argsort(-np.abs(large))][:d_head]
    expected = large.sum().real / np.abs(large).sum()
    assert m.copying(W_E, W_V, W_O, W_U) == pytest.approx(expected, abs=1e-6)


def test_matching_is_the_positivity_of_the_qk_circuit():
    one = torch.eye(5)
    assert m.matching(one, one, one, one) == pytest.approx(1)
    assert m.matching(one, one, -one, one) == pytest.approx(-1)
    g = seeded(3)
    queries, keys = torch.randn(2, 7, 6, generator=g, dtype=torch.float64)
    W_Q, W_K = torch.randn(2, 6, 3, generator=g, dtype=torch.float64)
    values = np.linalg.eigvals((queries @ W_Q @ W_K.T @ keys.T).numpy())
    values = values[np.argsort(-np.abs(values))][:3]
    assert m.matching(queries, W_Q, W_K, keys) == pytest.approx(values.sum().real / np.abs(values).sum(), abs=1e-6)


def test_positivity_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="all eigenvalues are zero"):
        m.positivity(torch.zeros(5, 2), torch.zeros(2, 5))


# K-composition


def test_k_composition_of_known_heads():
    """A later head whose keys read what the earlier one writes, and one whose keys read elsewhere."""
    one = torch.eye(4)
    first, last = one[:, :2], one[:, 2:]
    assert m.k_composition(first, first, last, first.T) == pytest.approx(1 / math.sqrt(2))
    assert m.k_composition(first, first, last, last.T) == 0
    along = one[:, :1]  # rank 1: nothing is lost
    assert m.k_composition(along, along, last[:, :1], along.T) == pytest.approx(1)


@given(seeds)
@by_hypothesis
def test_k_composition_against_sums_of_squares(seed):
    g = seeded(seed)
    W_Q, W_K, W_V = torch.randn(3, 6, 3, generator=g)
    W_O = torch.randn(3, 6, generator=g)
    W_QK, W_OV = (W_Q @ W_K.T).tolist(), (W_V @ W_O).tolist()
    # scores of query x and key y, when the key is what the earlier head wrote of y: x W_QK (y W_OV)'
    product = [[sum(W_QK[i][k] * W_OV[j][k] for k in range(6)) for j in range(6)] for i in range(6)]

    def norm(rows):
        return math.sqrt(sum(v * v for row in rows for v in row))

    expected = norm(product) / (norm(W_QK) * norm(W_OV))
    assert m.k_composition(W_Q, W_K, W_V, W_O) == pytest.approx(expected, rel=1e-4)
    assert 0 <= expected <= 1


def test_random_k_composition_is_near_one_over_root_d_model():
    """Of two matrices of full rank: |A B|^2 is d^3, |A|^2 |B|^2 is d^4, on average."""
    assert m.random_k_composition(48, 48, seeded(), draws=20) == pytest.approx(48**-0.5, rel=0.05)


def test_k_composition_of_zeros_and_of_no_draws_are_errors():
    zero = torch.zeros(4, 2)
    with pytest.raises(ValueError, match="zeros"):
        m.k_composition(zero, zero, zero, zero.T)
    with pytest.raises(ValueError, match="0 draws"):
        m.random_k_composition(4, 2, seeded(), draws=0)


# ablations


def network(n_layers: int = 2, smeared: bool = False) -> SmallTransformer:
    made = SmallTransformer(n_layers, 11, 9, 8, 2, seeded(5), smeared)
    for numbers in made.by_distance:
        torch.nn.init.normal_(numbers, generator=seeded(6))
    return made.requires_grad_(False)


TOKENS = torch.randint(11, (3, 9), generator=seeded(7))


@pytest.mark.parametrize("head", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_full_ablation_is_a_head_without_output_matrix(head):
    whole, cut = network(), network()
    layer, index = head
    cut.W_O[layer][index * 4 : (index + 1) * 4] = 0
    assert torch.allclose(m.ablate(whole, TOKENS, [head]), cut(TOKENS)[0], atol=1e-6)
    assert not torch.allclose(m.ablate(whole, TOKENS, [head]), whole(TOKENS)[0], atol=1e-3)


def test_ablation_with_patterns_kept_leaves_later_attention_as_it_was():
    net = network()
    whole = net(TOKENS)[1]
    fully = net(TOKENS, off=[(0, 1)])[1]
    kept = net(TOKENS, off=[(0, 1)], patterns=whole)[1]
    assert not torch.allclose(fully[1], whole[1], atol=1e-3)
    assert torch.equal(kept[1], whole[1])
    assert not torch.allclose(m.ablate(net, TOKENS, [(0, 1)], True), m.ablate(net, TOKENS, [(0, 1)]), atol=1e-3)


def test_in_the_last_layer_both_ablations_are_the_same():
    net = network()
    for off in ([(1, 0)], [(1, 0), (1, 1)]):
        assert torch.allclose(m.ablate(net, TOKENS, off, True), m.ablate(net, TOKENS, off), atol=1e-6)


def test_ablation_names_what_is_not_there():
    with pytest.raises(ValueError, match="there is no head 2 in layer 0"):
        m.ablate(network(), TOKENS, [(0, 2)])
    with pytest.raises(ValueError, match="at least one head"):
        m.ablate(network(), TOKENS, [])
