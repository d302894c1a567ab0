"""Names in prompts, two readers of them, and what is measured when parts are exchanged."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.networks.two_readers import Shape, TwoReaders
from snippets.icl.streams import streams
from snippets.icl.tasks.repeated_names import Task, World, spelled, swapped, write
from snippets.icl.training.name_circuits import (
    PLACES,
    blind_to,
    by_place,
    by_way,
    lead,
    places,
    reads_from,
    see,
    without_head,
)
from snippets.icl.training.name_readers import Config, Turner, train
from snippets.induction_heads import same_circuit
from snippets.induction_heads.figures.same_circuit import interval

TASK = Task()
SHAPE = Config().shape


def world() -> World:
    return World.of(TASK, streams(5, 1)[0])


def networks(n: int = 2) -> TwoReaders:
    return TwoReaders(SHAPE, streams(6, n)).requires_grad_(False)


@given(seed=st.integers(0, 10_000), new=st.booleans())
@settings(max_examples=25, deadline=None)
def test_one_name_stands_alone_and_the_other_twice(seed, new):
    w = world()
    batch = w.draw(20, streams(seed, 1)[0], new=new)
    named = batch.tokens.gather(1, batch.slots)
    assert torch.equal(named, batch.who)
    for who, answer, repeated in zip(batch.who, batch.answer, batch.repeated):
        assert sorted((who == name).sum().item() for name in (answer, repeated)) == [1, 2]
        assert (who == answer).sum() == 1
        assert bool(w.hidden[answer, repeated]) == new
    assert (batch.tokens < TASK.n_names).sum(1).eq(3).all()
    assert (batch.tokens[:, -1] == TASK.n_vocab - 1).all()


def test_the_odd_one_stands_everywhere_alike():
    odd = world().draw(6000, streams(1, 1)[0]).odd
    assert torch.bincount(odd).div(6000).sub(1 / 3).abs().max() < 0.03


def test_a_counterpart_exchanges_the_names_and_nothing_else():
    batch = world().draw(50, streams(1, 1)[0])
    other = swapped(TASK, batch)
    assert torch.equal(other.answer, batch.repeated)
    assert torch.equal(other.repeated, batch.answer)
    assert torch.equal(swapped(TASK, other).tokens, batch.tokens)
    names = batch.tokens < TASK.n_names
    assert torch.equal(batch.tokens[~names], other.tokens[~names])


def test_no_such_prompt():
    generator = streams(0, 1)[0]
    with pytest.raises(ValueError, match="nobody else is there"):
        write(TASK, torch.tensor([[0, 1, 0], [3, 3, 3]]), generator)
    with pytest.raises(ValueError, match="the vocabulary has 0 to 23"):
        write(TASK, torch.tensor([[0, 1, 24]]), generator)
    with pytest.raises(ValueError, match="2 slots"):
        write(TASK, torch.tensor([[0, 1]]), generator)
    with pytest.raises(ValueError, match="no prompt to write"):
        write(TASK, torch.zeros(0, 3, dtype=torch.long), generator)
    with pytest.raises(ValueError, match="prompt is empty"):
        spelled(TASK, [])
    with pytest.raises(ValueError, match="'Zeus' is not in the vocabulary"):
        spelled(TASK, ["Zeus"])
    with pytest.raises(ValueError, match="no pair of names is left"):
        World.of(replace(TASK, held_out=0.0), generator).draw(3, generator, new=True)


@pytest.mark.parametrize(
    ("bad", "words"),
    [({"n_names": 25}, "n_names = 25"), ({"n_names": 2}, "n_names = 2"),
     ({"n_tokens": 8}, "needs 9"), ({"held_out": 1.0}, "held_out = 1")],
)  # fmt: skip
def test_no_such_task(bad, words):
    with pytest.raises(ValueError, match=words):
        Task(**bad)


def test_a_network_reads_what_it_can():
    net = networks()
    with pytest.raises(ValueError, match="prompt is empty"):
        net(torch.zeros(2, 0, 9, dtype=torch.long))
    with pytest.raises(ValueError, match="for 1 networks, and there are 2"):
        net(torch.zeros(1, 4, 9, dtype=torch.long))
    with pytest.raises(ValueError, match="10 tokens is longer"):
        net(torch.zeros(2, 4, 10, dtype=torch.long))
    with pytest.raises(ValueError, match="vocabulary is 0 to"):
        net(torch.full((2, 4, 9), SHAPE.n_vocab))
    with pytest.raises(ValueError, match="no network"):
        TwoReaders(SHAPE, [])
    with pytest.raises(ValueError, match="n_heads = 0"):
        Shape(10, 5, 9, n_heads=0)


def test_no_such_head():
    batch = world().draw(5, streams(1, 1)[0])
    net = networks()
    for layer, head in ((0, 2), (2, 0), (1, -1)):
        with pytest.raises(ValueError, match=f"no head {head} in layer {layer}"):
            without_head(net, see(net, batch.tokens), layer, head)


def test_no_token_hears_a_later_one_and_networks_do_not_meet():
    batch = world().draw(8, streams(1, 1)[0])
    net = networks()
    both = torch.stack([batch.tokens] * 2)
    changed = both.clone()
    changed[:, :, 5] = (changed[:, :, 5] + 1) % TASK.n_names
    first, _ = net.first(net.embed(both))
    again, _ = net.first(net.embed(changed))
    assert torch.allclose(first[..., :5, :], again[..., :5, :], atol=1e-6)
    assert not torch.allclose(first[..., 5, :], again[..., 5, :], atol=1e-3)
    mixed = torch.stack([batch.tokens, changed[0]])
    assert torch.allclose(net(mixed)[0], net(both)[0], atol=1e-5)
    assert not torch.allclose(net(mixed)[1], net(both)[1], atol=1e-3)


def test_exchanging_everything_is_the_counterpart():
    """All three ways and the last token's stream, or layer 1 everywhere."""
    batch = world().draw(30, streams(1, 1)[0])
    net = networks()
    s, other = see(net, batch.tokens), see(net, swapped(TASK, batch).tokens)
    same = torch.ones(batch.tokens.shape)
    for logits in (
        by_way(net, s, s, "query"), by_place(net, s, s, same), by_place(net, s, other, 0 * same),
        blind_to(net, s, 0 * same),
    ):  # fmt: skip
        assert torch.allclose(logits, s.logits, atol=1e-5)
    h = s.x + other.first.sum(1)
    whole = net.answer(h[:, :, -1] + net.last(h, h, h)[0].sum((1, 3)))
    assert torch.allclose(by_place(net, s, other, same), whole, atol=1e-5)


def test_places_and_parts_add_up():
    batch = world().draw(40, streams(1, 1)[0])
    net = networks()
    s, at = see(net, batch.tokens), places(batch)
    assert tuple(at) == PLACES
    assert torch.equal(sum(at.values()), torch.ones(batch.tokens.shape))
    earlier, later = at["earlier"].argmax(1), at["later"].argmax(1)
    assert (earlier < later).all()
    rows = torch.arange(40)
    assert torch.equal(batch.tokens[rows, later], batch.repeated)
    assert torch.equal(batch.tokens[rows, at["odd"].argmax(1)], batch.answer)
    h = (s.x + s.first.sum(1))[:, :, -1]
    whole = h + s.last.sum((1, 3))
    own = lead(h / whole.square().mean(-1, keepdim=True).sqrt() @ net.W_U, batch)
    parts = sum(reads_from(net, s, batch, at[place]) for place in PLACES)
    assert torch.allclose(own + parts, lead(s.logits, batch), atol=1e-4)


def test_networks_of_one_start_begin_alike_and_data_part_them():
    none, _, _ = train(Config(n_steps=0), 1)
    assert torch.equal(none.W_Q[0], none.W_Q[1])
    assert not torch.equal(none.W_Q[1], none.W_Q[2])
    some, _, _ = train(Config(n_steps=2, batch=4), 1)
    assert not torch.equal(some.W_Q[0], some.W_Q[1])


def test_a_turn_is_as_long_in_every_direction():
    net = TwoReaders(SHAPE, streams(6, 1))
    before = net.W_Q.detach().clone()
    net.zero_grad()
    for name in ("W_Q", "W_K", "W_V", "W_O"):
        getattr(net, name).grad = torch.randn(getattr(net, name).shape, generator=streams(2, 1)[0])
    Turner(net, 0.0).step(0.1)
    sizes = torch.linalg.svdvals((net.W_Q - before)[0, 0, 0]) / 0.1
    assert 0.5 < sizes.median() < 1.3 and sizes.max() < 1.3


def measured(parts, spots) -> dict[str, np.ndarray]:
    return {"parts": np.array([parts] * 4), "spots": np.array([spots] * 4), "seen": np.ones(4)}


def test_signatures_by_hand():
    def signature(parts, spots):
        return same_circuit.signature(measured(parts, spots), 0)

    assert signature([0.8, 0, 0, 0.2, 0], [0.4, 0, 0, 0, 1]) == "copies, no detector, odd one prepared"
    assert signature([0.1, 0.3, 0.4, 0, 0], [0, 0, 0.9, 0, 1]) == "suppresses, detector, odd one not prepared"
    assert signature([0.4, 0.2, 0.2, 0, 0], [0, 0, 0.2, 0, 1]) == "mixed, no detector, odd one not prepared"


def test_distance_is_half_the_sum_of_differences():
    m = measured([1, 0, 0, 0, 0], [0] * 5)
    assert same_circuit.apart(m, same_circuit.SAME_START) == 0
    m["parts"][0] = [0, 0, 0, 1, 0]
    assert same_circuit.apart(m, [(0, 1)]) == 1
    assert same_circuit.SAME_START == [(0, 1), (2, 3)]
    assert same_circuit.SAME_DATA == [(0, 2), (1, 3)]


def test_three_people_are_three():
    generator = streams(3, 1)[0]
    batch = world().draw(200, generator)
    people = same_circuit.four_slots(TASK, batch, generator, people=3)
    thrice = same_circuit.four_slots(TASK, batch, generator, people=2)
    for who, single in zip(people.who, same_circuit.singles(people)):
        assert sorted(torch.bincount(who)[who].tolist()) == [1, 1, 2, 2]
        assert torch.bincount(who)[who[single]].tolist() == [1, 1]
    assert ((thrice.who == thrice.answer[:, None]).sum(1) == 1).all()
    assert ((thrice.who == thrice.repeated[:, None]).sum(1) == 3).all()


def test_an_exact_interval():
    low, high = interval(10, 10)
    assert high == 1 and low == pytest.approx(0.025 ** (1 / 10))
    assert interval(0, 10) == (0.0, pytest.approx(1 - 0.025 ** (1 / 10)))
