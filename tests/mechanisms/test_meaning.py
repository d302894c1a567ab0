"""Does it mean anything: laws of relations, facts turned round, conviction; exact parts, bad input, short runs."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.networks.source_reader import predict, write_on
from snippets.icl.tasks.loaded_sources import SOURCES
from snippets.icl.tasks.relations import LAWS, NOBODY, UNSAID, Facts, Words, ask, bayes, draw_facts, draw_laws
from snippets.icl.tasks.symbols import points
from snippets.icl.theory.known_sources import belief, bets, dice, mix_of, write
from snippets.mechanisms import conviction, relations, reversal


def made(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(law: float, n_shown: int, batch: int = 40) -> tuple[Facts, torch.Tensor, torch.Tensor]:
    named = torch.arange(2).expand(batch, 2)
    return draw_facts(named, torch.full((batch, 2), law), 4, n_shown, 25, made())


# relations


def test_bayes_by_hand():
    """The numbers of the chapter: 5/6 after one pair returned, 9/10 after two, and 1/2 where both happened."""
    returned, shown = torch.tensor([0.0, 1, 2, 0, 2]), torch.tensor([0.0, 1, 2, 1, 3])
    assert bayes(returned, shown).tolist() == pytest.approx([1 / 2, 5 / 6, 9 / 10, 1 / 6, 1 / 2])


@given(st.integers(0, 6), st.integers(0, 6))
def test_bayes_is_the_share_of_simulated_relations(returned, not_so):
    """By enumeration: of the laws, weighed by how often they show this, the chance of one more."""
    fits = {p: p**returned * (1 - p) ** not_so for p in LAWS.values()}
    expected = sum(p * fit for p, fit in fits.items()) / sum(fits.values())
    found = bayes(torch.tensor(float(returned)), torch.tensor(float(returned + not_so)))
    assert float(found) == pytest.approx(expected)


def test_a_law_is_drawn_as_it_says():
    for law in LAWS.values():
        facts, answer, partner = drawn(law, 2, 300)
        assert float((answer == partner).float().mean()) == pytest.approx(law, abs=0.06)
        assert bool(((answer == partner) | (answer == NOBODY)).all())
        a, _, b, back = facts.stated.unbind(-1)
        shown = back != UNSAID
        assert shown.sum(1).tolist() == [4] * 300  # two pairs of each of two relations
        assert bool((back[shown] == a[shown]).all()) or law < 1
        people = torch.cat([a, b], 1).sort(1).values
        assert bool((people.diff(dim=1) > 0).all()), "nobody stands in two pairs"


def test_what_is_asked_was_told_one_way():
    facts, _, partner = drawn(0.5, 1)
    a, named, b, back = facts.stated.unbind(-1)
    untold = back == UNSAID
    assert bool((b[untold] == facts.asked[..., 1].flatten()).all())
    assert bool((named[untold] == facts.asked[..., 0].flatten()).all())
    assert bool((a[untold] == partner.flatten()).all())


def test_a_question_reads_no_other_question():
    g = made()
    words = Words(points(25, 4, g), points(2, 4, g))
    network = MaskedTransformer(16, 4, 16, 2, 2, g).requires_grad_(False)
    facts, _, _ = drawn(0.5, 1)
    alone = ask(network, words, Facts(facts.stated, facts.asked[:, :1]))
    together = ask(network, words, facts)
    assert torch.allclose(alone[:, 0], together[:, 0], atol=1e-5)
    empty = ask(network, words, Facts(facts.stated[:, :0], facts.asked))
    assert not torch.allclose(empty, together, atol=1e-3), "it reads what the prompt states"


def test_relations_that_cannot_be_drawn():
    no_relation = torch.zeros(2, 0, dtype=torch.long)
    with pytest.raises(ValueError, match="a relation needs a pair, and one that is left to ask about"):
        draw_facts(no_relation, torch.zeros(2, 0), 4, 1, 25, made())
    named, laws = torch.zeros(2, 1, dtype=torch.long), torch.ones(2, 1)
    for pairs, shown in ((0, 0), (2, 2), (2, -1)):
        with pytest.raises(ValueError, match="a relation needs a pair"):
            draw_facts(named, laws, pairs, shown, 25, made())
    with pytest.raises(ValueError, match="6 pairs need 12 entities beside nobody; there are 9"):
        draw_facts(named, laws, 6, 1, 10, made())
    with pytest.raises(ValueError, match="n_known = 4: a multiple of 3"):
        relations.World(relations.Config(4, 0.0), made(), made())
    with pytest.raises(ValueError, match="more pairs returned than shown"):
        bayes(torch.tensor(2.0), torch.tensor(1.0))


@pytest.mark.parametrize("place, what", [(0, "entity"), (1, "relation"), (2, "entity"), (3, "entity")])
def test_symbols_out_of_range(place, what):
    g = made()
    words, (facts, _, _) = Words(points(25, 4, g), points(2, 4, g)), drawn(1.0, 1)
    network = MaskedTransformer(16, 4, 16, 1, 2, g)
    facts.stated[0, 0, place] = 25
    with pytest.raises(ValueError, match=f"unknown {what} 25: these words have 0 to"):
        ask(network, words, facts)
    with pytest.raises(ValueError, match="nothing is asked: give at least one question"):
        ask(network, words, Facts(facts.stated, facts.asked[:, :0]))


def test_laws_are_drawn_evenly():
    laws = draw_laws(3000, generator=made())
    for law in LAWS.values():
        assert float((laws == law).float().mean()) == pytest.approx(1 / 3, abs=0.04)


def test_expected_bayes_is_what_draws_give():
    table = relations.expected()
    assert table[0].tolist() == pytest.approx([1 / 2, 5 / 6, 9 / 10, 17 / 18])
    assert table[1].tolist() == pytest.approx([1 / 2, 1 / 6, 1 / 10, 1 / 18])
    assert table[2].tolist() == pytest.approx([1 / 2] * 4)


def test_probes_show_a_known_relation_as_it_is_or_turned():
    config = relations.Config(6, 0.0, n_test=8)
    world = relations.World(config, made(), made(1))
    _, facts, _ = world.probe(True, 1.0, 0.0, 3)
    back = facts.stated[..., 3]
    assert set(back[back != UNSAID].tolist()) == {NOBODY}
    assert bool((world.laws[facts.asked[..., 0]] == 1.0).all())


# facts turned round


def test_facts_are_asked_as_told_and_the_other_way():
    teacher, pupil = torch.arange(4).view(2, 2), torch.arange(4, 8).view(2, 2)
    facts, answer = reversal.told(teacher, pupil, made())
    for row in range(2):
        said = {(a, named, b) for a, named, b, _ in facts.stated[row].tolist()}
        asked = list(zip(facts.asked[row].tolist(), answer[row].tolist(), strict=True))
        for (named, who), right in asked[:2]:
            assert (who, named, right) in said
        for (named, who), right in asked[2:]:
            assert (right, 1 - named, who) in said
    none = torch.zeros(2, 0, dtype=torch.long)
    with pytest.raises(ValueError, match="a relation without pairs has nothing to tell or ask"):
        reversal.told(none, none, made())


def test_what_is_turned_was_never_trained():
    world = reversal.World(reversal.Config(3, n_one_way=2, n_strangers=8), made(), made(1))
    trained = {tuple(row) for row in world.trained.tolist()}
    turned = [tuple(row) for row in world.turned.tolist()]
    assert len(trained) == 2 * 3 + 2 * 2 and len(turned) == 4
    for named, who, right in turned:
        assert (named, who, right) not in trained
        assert (1 - named, right, who) in trained, "its other direction was"
    facts, answer = world.remembered(5)
    a, named, b, _ = facts.stated[:, : world.config.n_pairs].unbind(-1)
    told = {tuple(row) for row in torch.stack([named, a, b], -1).flatten(0, 1).tolist()}
    assert told <= trained and bool((answer == a).all())


# conviction

TEXTS = st.lists(st.integers(0, 5), min_size=1, max_size=12)
FOUR = torch.full((4,), 0.25, dtype=torch.float64)


@given(TEXTS)
def test_belief_by_bayes_rule(text):
    found = belief(SOURCES["dice"], FOUR, torch.tensor([text]))[0, -1]
    chances = [math.prod(float(row[0, face]) for face in text) for row in SOURCES["dice"]]
    assert found.tolist() == pytest.approx([c / sum(chances) for c in chances])


@pytest.mark.parametrize("world", ["dice", "chains"])
@given(text=st.lists(st.integers(0, 3), min_size=1, max_size=12))
@settings(max_examples=30)
def test_one_expects_the_belief_that_one_has(world, text):
    sources = SOURCES[world]
    prior = torch.arange(1, len(sources) + 1).double()
    prior, told = prior / prior.sum(), torch.tensor([text])
    now, bet = belief(sources, prior, told)[0, -1], bets(sources, prior, told)[0, -1]
    later = torch.zeros_like(now)
    for symbol in range(len(bet)):
        later += bet[symbol] * belief(sources, prior, torch.tensor([[*text, symbol]]))[0, -1]
    assert float(bet.sum()) == pytest.approx(1)
    assert later.tolist() == pytest.approx(now.tolist(), abs=1e-12)


def test_the_chapter_s_two_dice():
    """Red and white: a six is bet at 1/12 and rules red out; anything else leaves red at 6/11."""
    red = torch.tensor([1 / 5] * 5 + [0.0]).double()
    two, half = dice(torch.stack([red, torch.full((6,), 1 / 6).double()])), torch.full((2,), 0.5).double()
    assert float(bets(two, half, torch.zeros(1, 0, dtype=torch.long))[0, 0, 5]) == pytest.approx(1 / 12)
    assert float(belief(two, half, torch.tensor([[5]]))[0, 1, 0]) == 0
    assert float(belief(two, half, torch.tensor([[2]]))[0, 1, 0]) == pytest.approx(6 / 11)


def test_what_is_forbidden_is_never_written_and_rules_out_for_good():
    text = write(SOURCES["dice"], torch.zeros(200, dtype=torch.long), 40, made())
    assert not bool((text == 5).any())
    text[:, 20] = 5
    assert float(belief(SOURCES["dice"], FOUR, text)[:, 21:, 0].max()) == 0


def test_the_mix_of_sources_is_read_off_a_bet():
    table = SOURCES["dice"][:, 0]
    weights = torch.tensor([0.4, 0.3, 0.2, 0.1]).double()
    assert mix_of(weights @ table, table).tolist() == pytest.approx(weights.tolist())


def test_a_cold_writer_draws_likely_symbols():
    guess = lambda text: torch.tensor([0.9, 0.1]).expand(len(text), text.shape[1] + 1, 2)  # noqa: E731
    start = torch.zeros(2000, 1, dtype=torch.long)
    for temperature, share in ((1.0, 0.1), (0.5, 0.01 / 0.82), (1e-3, 0.0)):
        text = write_on(guess, start, 2, made(), temperature)
        assert float(text[:, 1].double().mean()) == pytest.approx(share, abs=0.03)


def test_a_bet_does_not_know_what_comes():
    network = MaskedTransformer(14, 6, 8, 1, 2, made()).requires_grad_(False)
    text = write(SOURCES["dice"].float(), torch.tensor([2, 3]), 8, made())
    other = text.clone()
    other[:, 5] = (text[:, 5] + 1) % 6
    before, after = (predict(network, x, 6) for x in (text, other))
    assert torch.equal(before[:, :6], after[:, :6]) and not torch.equal(before[:, 6:], after[:, 6:])


def test_beliefs_that_cannot_be():
    text, sources = torch.tensor([[0]]), SOURCES["dice"]
    with pytest.raises(ValueError, match="a belief over no hypotheses: give at least one source"):
        belief(sources[:0], FOUR[:0], text)
    with pytest.raises(ValueError, match="3 prior beliefs for 4 sources"):
        belief(sources, FOUR[:3], text)
    with pytest.raises(ValueError, match="'prior' are no chances"):
        belief(sources, 2 * FOUR, text)
    with pytest.raises(ValueError, match="'sources' are no chances"):
        belief(2 * sources, FOUR, text)
    for face in (-1, 6):
        with pytest.raises(ValueError, match=f"symbols run from {face} to {face}; the sources have 0 to 5"):
            belief(sources, FOUR, torch.tensor([[face]]))
    with pytest.raises(ValueError, match="a text that no source can write"):
        belief(sources[:1], FOUR[:1] * 4, torch.tensor([[5]]))
    with pytest.raises(ValueError, match="sources are numbered 0 to 3"):
        write(sources, torch.tensor([4]), 2, made())


# short runs


def test_short_runs():
    tiny = relations.Config(6, 0.5, d=4, d_model=16, batch=2, n_steps=2, n_test=4)
    found = relations.run(tiny, 3)
    assert found["partner"].shape == (2, 3, 4) and found["against"].shape == (2, 4)
    again = relations.run(tiny, 3)
    assert np.array_equal(found["partner"], again["partner"])
    small = reversal.Config(2, n_one_way=2, n_strangers=8, d=4, d_model=16, batch=2, n_steps=2, n_test=4)
    assert set(reversal.run(small, 3)) >= {"memory_other_way", "memory_rank", "prompt_other_way"}
    for world in SOURCES:
        short = conviction.Config(world, length=10, d_model=8, batch=2, n_steps=2, n_test=4, planted=6)
        found = conviction.run(short, 3)
        assert found["own_sure"].shape == (5,) and found["martingale"] < 1e-12
        assert float(found["forbidden_exact_belief"][7:].max()) == 0
