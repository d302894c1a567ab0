"""The sequences: their copies, their background, and what cannot be asked for."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.measures import icl_score
from snippets.icl.streams import streams
from snippets.icl.tasks.repeated_segments import Batch, Task, World, context_free


def drawn(task: Task, seed: int, n: int) -> Batch:
    table, sequences = streams(seed, 2)
    return World(task, table).draw(n, sequences)


@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 20), st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_copies_are_whole_equal_and_in_order(segment, copies, spare, seed):
    task = Task(n_vocab=9, n_tokens=segment * copies + spare, segment=segment, copies=copies)
    batch = drawn(task, seed, 12)
    assert batch.tokens.shape == (12, task.n_tokens + 1)
    for tokens, copy in zip(batch.tokens, batch.copy):
        places = [(copy == c).nonzero()[:, 0] for c in range(copies)]
        for place in places:
            assert place.tolist() == list(range(place[0], place[0] + segment))
            assert torch.equal(tokens[place], tokens[places[0]])
        assert [int(p[0]) for p in places] == sorted(int(p[0]) for p in places)
        assert int((copy < 0).sum()) == task.n_tokens + 1 - segment * copies


def test_starts_cover_every_place():
    batch = drawn(Task(n_tokens=8, segment=3, copies=2), 0, 2000)
    starts = {tuple(int((row == c).nonzero()[0]) for c in (0, 1)) for row in batch.copy}
    assert starts == {(a, b) for a in range(7) for b in range(7) if b >= a + 3}


def test_repeats_are_where_the_context_tells_the_next_token():
    batch = drawn(Task(), 1, 20)
    per_sequence = (Task().copies - 1) * (Task().segment - 1)
    assert batch.repeats.sum(1).tolist() == [per_sequence] * 20
    assert not (batch.repeats & batch.background).any()
    for read, wanted, repeats, copy in zip(batch.read, batch.wanted, batch.repeats, batch.copy):
        first = (copy == 0).nonzero()[0, 0]
        for place in repeats.nonzero()[:, 0]:
            into = int(place - (copy == copy[place]).nonzero()[0, 0])
            assert read[place] == read[first + into]
            assert wanted[place] == read[first + into + 1]


def test_background_follows_the_table():
    world = World(Task(n_vocab=5, concentration=1.0), streams(3, 1)[0])
    tokens = world.chain(4000, 20, np.random.default_rng(3))
    counts = np.zeros((5, 5))
    np.add.at(counts, (tokens[:, :-1], tokens[:, 1:]), 1)
    assert np.abs(counts / counts.sum(1, keepdims=True) - world.table).max() < 0.02
    shares = np.bincount(tokens[:, 0], minlength=5) / len(tokens)  # the first token is from the stationary law
    assert np.abs(shares - world.stationary()).max() < 0.03
    measured = -np.log(world.table[tokens[:, :-1], tokens[:, 1:]]).mean()
    assert world.entropy() == pytest.approx(measured, abs=0.02)


def test_segments_are_uniform():
    batch = drawn(Task(n_vocab=4, n_tokens=9, segment=3, copies=3), 0, 4000)
    shares = np.bincount(batch.tokens[batch.copy == 0].numpy(), minlength=4) / (3 * 4000)
    assert np.abs(shares - 0.25).max() < 0.02


def test_a_seed_gives_the_same_sequences_and_another_one_others():
    assert torch.equal(drawn(Task(), 4, 3).tokens, drawn(Task(), 4, 3).tokens)
    assert not torch.equal(drawn(Task(), 4, 3).tokens, drawn(Task(), 5, 3).tokens)


def test_one_world_gives_two_streams_different_sequences():
    table, one, other = streams(6, 3)
    world = World(Task(), table)
    assert not torch.equal(world.draw(3, one).tokens, world.draw(3, other).tokens)


def test_a_table_without_context_scores_below_zero():
    """Early places are less often background than late ones, so the ICL score is negative without any context."""
    table, training, held_out = streams(0, 3)
    world = World(Task(), table)
    data, test = world.draw(4000, training), world.draw(2000, held_out)
    guess = context_free(data, 32)
    assert torch.allclose(guess.exp().sum(1), torch.ones(32), atol=1e-5)
    loss = torch.nn.functional.cross_entropy(guess[test.read].mT, test.wanted, reduction="none")
    assert -0.3 < float(icl_score(loss, slice(2, 10), slice(-8, None))) < -0.1
    share = test.background.double().mean(0)
    assert share[2:10].mean() + 0.05 < share[-8:].mean()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"segment": 30}, "3 copies of 30 tokens do not fit into n_tokens = 64"),
        ({"copies": 0}, "copies = 0 is not above zero"),
        ({"n_vocab": -1}, "n_vocab = -1 is not above zero"),
        ({"concentration": 0.0}, "concentration = 0.0 is not above zero"),
    ],
)
def test_tasks_that_cannot_be(fields, says):
    with pytest.raises(ValueError, match=says):
        Task(**fields)
