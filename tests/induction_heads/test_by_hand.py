"""Copying without error, attention against its closed form and the library's, bad input, and what one layer can do."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.networks.attention import HandSet, Stream, attend
from snippets.icl.networks.induction_head import BLOCKED, assemble, induction_head
from snippets.icl.streams import streams
from snippets.icl.tasks.one_match import Task, item_label, orthonormal, sequences
from snippets.induction_heads import by_hand, one_layer

by_hypothesis = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 10**6)
precisions = st.sampled_from([torch.float32, torch.float64])
TASK = Task(n_items=16, n_labels=20)
LABELS = TASK.labels


def generator_of(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def contents_of(seed: int) -> torch.Tensor:
    return orthonormal(LABELS.stop, generator_of(seed))


def every_match(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """One sequence for each pair that the target can repeat."""
    return item_label(torch.arange(n), n, TASK, generator_of(seed))


def moved_twin(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The same labels, the same target; its twin moves through the N places."""
    tokens, _ = item_label(torch.zeros(1, dtype=torch.int64), n, TASK, generator_of(seed))
    moved = tokens.repeat(n, 1)
    for k in range(n):
        moved[k, 0], moved[k, 2 * k] = tokens[0, 2 * k], tokens[0, 0]
    return moved, moved[torch.arange(n), 2 * torch.arange(n) + 1]


def right(model: HandSet, tokens: torch.Tensor, answer: torch.Tensor) -> torch.Tensor:
    return LABELS.start + model(tokens)[0][:, -1, LABELS].argmax(1) == answer


# attention


@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 6), st.floats(0.1, 3), seeds)
@by_hypothesis
def test_attention_is_the_librarys(batch, n_tokens, d, scale, seed):
    q, k, v = torch.randn(3, batch, n_tokens, d, generator=generator_of(seed), dtype=torch.float64)
    read, weights = attend(q, k, v, scale)
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale)
    assert torch.allclose(read, expected, atol=1e-10)
    assert torch.allclose(weights.sum(-1), torch.ones(batch, n_tokens, dtype=torch.float64))
    assert not weights.triu(1).any()


@given(st.integers(1, 9), seeds)
@by_hypothesis
def test_the_built_heads_run_on_the_librarys_attention(n, seed):
    """The whole model again, with scaled_dot_product_attention in the place of ours."""
    model = induction_head(contents_of(seed), 2 * n + 1, 8.0, 3.0, 2.0)
    tokens, _ = every_match(n, seed)
    x = model.embed(tokens)
    for (head,) in model.layers:
        q, k, v = x @ head.W_Q, x @ head.W_K, x @ head.W_V
        x = x + F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=1.0)
    expected = x[..., model.stream.content] @ model.contents.T
    assert torch.allclose(model(tokens)[0], expected, atol=1e-10)


def test_subspaces_are_orthogonal_and_fill_the_stream():
    stream = Stream(5, 7)
    cover = torch.zeros(stream.d_model)
    for part in (stream.content, stream.position, stream.buffer):
        cover[part] += 1
    assert cover.tolist() == [1] * 17


def test_each_layer_writes_where_it_should():
    model = induction_head(contents_of(0), 9, 8.0, 3.0, 2.0)
    stream, (first,), (second,) = model.stream, *model.layers
    reads_and_writes = ((first.W_V, stream.content, stream.buffer), (second.W_V, stream.content, stream.content))
    for W_V, reads, writes in reads_and_writes:
        elsewhere = W_V.clone()
        elsewhere[reads, writes] = 0
        assert W_V.any() and not elsewhere.any()


# copying


@given(st.integers(1, 16), st.integers(0, 16), st.sampled_from(["start", "spread"]), precisions, seeds)
@by_hypothesis
def test_copies_at_every_length_it_was_built_for(n, spare, rest, precision, seed):
    contents = contents_of(seed).to(precision)
    model = induction_head(contents, 2 * (n + spare) + 1, 20.0, 12.0, 8.0, rest)
    assert right(model, *every_match(n, seed)).all()


@given(st.integers(2, 40), st.integers(2, 30), precisions, seeds)
@by_hypothesis
def test_continues_ordinary_tokens(vocabulary, length, precision, seed):
    """... A B ... A -> B on any random tokens in which A stands once before, B whatever it is."""
    generator = generator_of(seed)
    tokens = torch.randint(1, vocabulary, (length,), generator=generator)
    place = int(torch.randint(length - 1, (1,), generator=generator))
    tokens[place] = 0  # A; the others are not A
    tokens = torch.cat([tokens, torch.tensor([0])])[None]
    model = induction_head(orthonormal(vocabulary, generator).to(precision), length + 1, 20.0, 12.0, 8.0)
    logits, attention = model(tokens)
    assert logits[0, -1].argmax() == tokens[0, place + 1]
    assert attention[1][0][0, -1, place + 2] > 0.99  # behind the start token


def test_without_the_first_layer_nothing_is_found():
    tokens, answer = every_match(8, 0)
    model = induction_head(contents_of(0), 17, 20.0, 12.0, 8.0)
    cut = HandSet(model.contents, 18, model.layers[1:])
    assert right(model, tokens, answer).all()
    assert right(cut, tokens, answer).sum() <= 3
    assert cut.attention(tokens, layer=0)[:, -1, 2::2].max() < 1 / 16


def test_several_occurrences_share_the_attention():
    tokens = torch.tensor([[0, 1, 2, 0, 3, 4, 0]])
    model = induction_head(orthonormal(5, generator_of(1)), 7, 20.0, 12.0, 8.0)
    assert model.attention(tokens, layer=1)[0, -1, [2, 5]].tolist() == pytest.approx([0.5, 0.5], abs=1e-3)


# the formula


@given(st.integers(1, 16), st.floats(0, 20), st.floats(-3, 12), precisions, seeds)
@by_hypothesis
def test_attention_is_the_closed_form(n, alpha, beta, precision, seed):
    tokens, _ = every_match(n, seed)
    model = induction_head(contents_of(seed).to(precision), 2 * n + 1, alpha, beta, 1.0)
    z = by_hand.on_the_answer(model, tokens)
    for k in range(1, n + 1):
        y = math.exp(beta) / (math.exp(beta) + 2 * k - 1)
        expected = math.exp(alpha * y) / (math.exp(alpha * y) + 2 * n)
        assert z[k - 1].item() == pytest.approx(expected, abs=1e-5 if precision == torch.float32 else 1e-12)
        assert by_hand.held_by_label(beta, k) == pytest.approx(y, rel=1e-12)
        assert by_hand.attention_on_answer(alpha, y, n) == pytest.approx(expected, rel=1e-12)


@given(st.integers(1, 16), st.floats(0, 20), st.floats(-3, 12), precisions, seeds)
@by_hypothesis
def test_attention_with_leaks_is_the_closed_form(n, alpha, beta, precision, seed):
    tokens, _ = every_match(n, seed)
    model = induction_head(contents_of(seed).to(precision), 2 * n + 1, alpha, beta, 1.0, "spread")
    expected = [by_hand.attention_with_leaks(alpha, beta, k, n) for k in range(1, n + 1)]
    tolerance = 1e-5 if precision == torch.float32 else 1e-12
    assert by_hand.on_the_answer(model, tokens).tolist() == pytest.approx(expected, abs=tolerance)


@given(st.integers(1, 16), st.floats(0, 12), st.floats(-2, 8), seeds)
@by_hypothesis
def test_average_context_of_the_cliff(n, alpha, beta, seed):
    """Exercise 5: with logit ln N on the start token y = e^beta / (e^beta + N) for every label."""
    model = induction_head(contents_of(seed), 2 * n + 1, alpha, beta, 1.0)
    rows = model.layers[0][0].W_Q[model.stream.position]  # a view: (position, position)
    rows[2:, 0] = math.log(n)
    z = by_hand.on_the_answer(model, every_match(n, seed)[0])
    y = math.exp(beta) / (math.exp(beta) + n)
    assert z.tolist() == pytest.approx([math.exp(alpha * y) / (math.exp(alpha * y) + 2 * n)] * n, abs=1e-12)


def test_the_first_token_is_its_own_match_without_a_start_token():
    """Exercise 1."""
    n_tokens, alpha, beta = 7, 12.0, 2.0
    contents, positions = torch.eye(8, dtype=torch.float64), torch.eye(n_tokens, dtype=torch.float64)
    tokens = torch.tensor([0, 1, 2, 3, 4, 5, 0])
    buffer, _ = attend(positions, beta * torch.diag(torch.ones(n_tokens - 1), 1).double(), contents[tokens])
    _, weights = attend(alpha * contents[tokens], buffer, buffer)
    assert buffer[0, 0] == 1
    y = math.exp(beta) / (math.exp(beta) + 1)
    assert (weights[-1, 0] / weights[-1, 1]).item() == pytest.approx(math.exp(alpha * (1 - y)))
    assert weights[-1, 1] < 0.5


# bad input


@pytest.mark.parametrize(
    ("tokens", "says"),
    [
        ([[0, 36]], "there is no token 36: ids go from 0 to 35"),
        ([[-1, 0]], "there is no token -1: ids go from 0 to 35"),
        ([[0] * 10], "a sequence of 10 tokens does not fit: the model was built for 1 to 9"),
        ([[]], "a sequence of 0 tokens does not fit: the model was built for 1 to 9"),
    ],
)
def test_sequences_it_was_not_built_for(tokens, says):
    model = induction_head(contents_of(0), 9, 8.0, 3.0, 1.0)
    with pytest.raises(ValueError, match=says):
        model(torch.tensor(tokens, dtype=torch.int64))


@pytest.mark.parametrize(("layer", "head"), [(2, 0), (-1, 0), (0, 1), (1, -1)])
def test_heads_that_do_not_exist(layer, head):
    model = induction_head(contents_of(0), 9, 8.0, 3.0, 1.0)
    missing = f"no layer {layer}" if layer not in (0, 1) else f"no head {head} in layer {layer}"
    with pytest.raises(ValueError, match=missing):
        model.attention(torch.tensor([[1, 2]]), layer, head)


def test_rest_that_does_not_exist():
    with pytest.raises(ValueError, match="rest is 'nowhere': choose 'start' or 'spread'"):
        induction_head(contents_of(0), 9, 8.0, 3.0, 1.0, rest="nowhere")


def test_more_pairs_than_there_are_items():
    with pytest.raises(ValueError, match="17 pairs need 17 different items and labels; there are 16 and 20"):
        item_label(torch.arange(17), 17, TASK, generator_of(0))


# one layer


@given(st.integers(1, 8), st.floats(-30, 30), st.floats(-3, 3), seeds)
@by_hypothesis
def test_one_head_that_treats_labels_alike_is_right_once_in_n(n, match, copies, seed):
    """Any logits of positions, any strength of match, any copying; whatever else is read helps all labels alike."""
    generator = generator_of(seed)
    contents, (tokens, answer) = contents_of(seed), moved_twin(n, seed)
    stream = Stream(LABELS.stop, 2 * n + 2)
    positions = 5 * torch.randn(2 * n + 2, 2 * n + 2, generator=generator, dtype=torch.float64)
    head = one_layer.one_layer_head(stream, positions, match)
    names = contents[LABELS]
    alike = torch.randn(stream.d_model, 1, generator=generator, dtype=torch.float64) * names.sum(0)
    head.W_V[:, stream.content] = alike
    head.W_V[stream.content, stream.content] -= names.T @ names @ head.W_V[stream.content, stream.content]
    head.W_V[stream.content, stream.content] += copies * names.T @ names
    model = assemble(contents, 2 * n + 1, [[head]])
    logits = model(tokens)[0][:, -1].double()
    shown = logits.gather(1, tokens[:, 1::2])  # (place of the twin, label)
    if (shown.max(1).values - shown.sort(1).values[:, -2 if n > 1 else -1] < 1e-9).any() and n > 1:
        return  # a tie in floating point: any label may come out
    assert right(model, tokens, answer).sum() <= 1
    assert len(set(shown.argmax(1).tolist())) == 1


@given(st.integers(2, 12), seeds)
@by_hypothesis
def test_a_head_with_favourites_checks_the_last_pair(n, seed):
    model = one_layer.checks_last_pair(contents_of(seed), n, LABELS)
    tokens, answer = every_match(n, seed)
    assert right(model, tokens, answer)[-1]
    named = LABELS.start + model(tokens)[0][:-1, -1, LABELS].argmax(1)
    favourite = tokens[:-1, 1::2].max(1).values  # the one latest in its list
    assert (named == favourite).all()


def test_accuracy_of_checking_one_pair():
    n, generator = 4, generator_of(1)
    tokens, answer = sequences(n, 8000, TASK, generator)
    share = right(one_layer.checks_last_pair(contents_of(1), n, LABELS), tokens, answer).double().mean().item()
    assert share == pytest.approx((2 * n - 1) / n**2, abs=0.02)


@given(st.integers(1, 16), precisions, seeds)
@by_hypothesis
def test_two_heads_in_one_layer_are_right_always(n, precision, seed):
    tokens, answer = every_match(n, seed)
    contents = contents_of(seed).to(precision)
    model = one_layer.two_heads_one_layer(contents, n, LABELS)
    assert right(model, tokens, answer).all()
    if precision == torch.float64:
        assert one_layer.margin(model, tokens, answer, LABELS) == pytest.approx(1 / (2 * n**2 * (n + 1)), rel=1e-3)
    for kept in (0, 1):  # neither head can do it alone
        alone = HandSet(contents, 2 * n + 2, [[model.layers[0][kept]]])
        assert right(alone, *moved_twin(n, seed)).sum() <= 1


@given(st.integers(2, 8), seeds)
@by_hypothesis
def test_one_head_suffices_for_a_classifier_that_computes_anything(n, seed):
    """Exercise 3: position p gets attention in proportion to 2^-p, and the read is taken apart again."""
    contents, (tokens, answer) = contents_of(seed), every_match(n, seed)
    stream = Stream(LABELS.stop, 2 * n + 2)
    positions = torch.full((2 * n + 2, 2 * n + 2), BLOCKED, dtype=torch.float64)
    positions[-1, 1:-1] = -math.log(2) * torch.arange(2 * n)
    head = one_layer.one_layer_head(stream, positions, 0.0)
    head.W_V[stream.content, stream.buffer] = torch.eye(LABELS.stop).double()
    read = attend(*(assemble(contents, 2 * n + 1, []).embed(tokens) @ W for W in vars(head).values()))[0]
    weight = read[:, -1, stream.buffer] @ contents.T  # (sequence, token of the vocabulary)
    wanted = weight.gather(1, tokens[:, -1:]) / 2
    assert (LABELS.start + (weight[:, LABELS] - wanted).abs().argmin(1) == answer).all()


# the trained control


def test_the_trained_control_may_look_at_other_places_for_each_target():
    """Its table of places has a row for each target, as the proof about one head allows."""
    shapes = []
    spy = torch.optim.Adam

    def adam(tables, rate):
        shapes.extend(tuple(t.shape) for t in tables)
        return spy(tables, rate)

    config = one_layer.Config(task=TASK, n_pairs=3, n_steps=1, n_test=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim, "Adam", adam)
        one_layer.train_one_head(config, *streams(0, 2))
    assert shapes == [(16, 36), (16, 7), (36, 20), (7, 20), (16, 20)]


# sequences


@given(st.integers(1, 12), seeds)
@by_hypothesis
def test_sequences_have_one_match_and_its_label(n, seed):
    tokens, answer = sequences(n, 20, TASK, generator_of(seed))
    items, labels, target = tokens[:, :-1:2], tokens[:, 1::2], tokens[:, -1:]
    assert ((items == target).sum(1) == 1).all()
    assert (labels[items == target] == answer).all()
    assert (items < LABELS.start).all() and (labels >= LABELS.start).all()
    assert all(len(set(row.tolist())) == 2 * n for row in tokens[:, :-1])
