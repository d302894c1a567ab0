"""The game of yes or no: words, and Bayes' rule against a count of all cases."""

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator

from snippets.icl.tasks.yes_or_no import NO, YES, Game, World, draw, exact, write

SMALL = World(n_traits=2)
THINGS = st.lists(st.integers(0, SMALL.n_things), min_size=1, max_size=5)


def by_hand(world: World, things: list[int], answers: list[int], asked: int) -> float:
    """P(yes) from the joint probability of rule and answers, rule by rule."""
    joint = world.prior.double().clone()
    for thing, answer in zip(things, answers, strict=True):
        yes = world.yes[:, thing].double()
        joint *= yes if answer == YES else 1 - yes
    return float((joint * world.yes[:, asked]).sum() / joint.sum())


@given(THINGS, st.data())
def test_bayes_rule_without_drift(things, data):
    answers = data.draw(st.lists(st.sampled_from([YES, NO]), min_size=len(things), max_size=len(things)))
    found = exact(SMALL, torch.tensor([things]), torch.tensor([answers]))[0]
    for shot, asked in enumerate(things):
        assert float(found[shot]) == pytest.approx(by_hand(SMALL, things[:shot], answers[:shot], asked), abs=1e-5)


@given(st.permutations(range(4)))
def test_the_order_of_shots_is_nothing_without_drift_and_something_with(order):
    things, answers = torch.tensor([3, 1, 0, 2]), torch.tensor([YES, NO, YES, NO])

    def asked(world: World, places: list[int]) -> float:
        shots, said = things[places], answers[places]
        return float(
            exact(world, torch.cat([shots, shots[:0], torch.tensor([1])])[None], torch.cat([said, said[:1]])[None])[
                0, -1
            ]
        )

    assert asked(SMALL, list(order)) == pytest.approx(asked(SMALL, [0, 1, 2, 3]), abs=1e-6)
    drifting = World(n_traits=2, drift=0.5)
    assert abs(asked(drifting, [0, 1, 2, 3]) - asked(drifting, [1, 0, 3, 2])) > 1e-3


def test_drift_forgets_with_full_drift_everything():
    world = World(n_traits=2, drift=1.0)
    found = exact(world, torch.tensor([[0, 0, 3]]), torch.tensor([[YES, YES, NO]]))
    assert found[0].tolist() == pytest.approx([0.5, 0.5, 0.5])


def test_ten_yeses_leave_a_coin_toss():
    world = World()
    things = torch.tensor([[0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 8]])  # 0 to 7 have the first trait, 8 has not
    assert float(exact(world, things, torch.zeros_like(things))[0, -1]) == pytest.approx(0.5, abs=1e-3)
    rare = World(constant=0.05)  # an exercise of the chapter
    said = exact(rare, things, torch.zeros_like(things))[0]
    assert float(said[-1]) == pytest.approx(0.21, abs=0.005) and float(said[0]) == pytest.approx(0.5)


def test_the_exact_predictor_is_calibrated_on_what_is_drawn():
    game = draw(World(drift=0.2), 4000, 5, Generator().manual_seed(0))
    said = exact(World(drift=0.2), game.things, game.answers)[:, -1]
    yes = (game.answers[:, -1] == YES).float()
    for low, high in ((0.0, 0.35), (0.35, 0.65), (0.65, 1.01)):
        some = (said >= low) & (said < high)
        assert float(yes[some].mean()) == pytest.approx(float(said[some].mean()), abs=0.05)


def test_words_and_vectors():
    game = Game(torch.tensor([[2, 4]]), torch.tensor([[NO, YES]]), torch.tensor([9]))
    assert write(SMALL, game).tolist() == [[24, 8, 7, 24, 14]]
    words = [SMALL.word(torch.tensor(t), e) for t, e in product(range(5), range(3))]
    assert sorted(int(w) for w in words) == list(range(15)) and SMALL.n_words == 15 + 16
    vectors = SMALL.vectors(64, Generator().manual_seed(0))
    assert vectors.shape == (31, 64) and vectors.square().mean().item() == pytest.approx(1, abs=0.3)
    # things with opposite traits have opposite vectors, but for the ending
    asked = vectors[[int(SMALL.word(torch.tensor(t), 2)) for t in range(4)]]
    torch.testing.assert_close(asked[0] + asked[3], asked[1] + asked[2])


@pytest.mark.parametrize(
    ("things", "answers", "phrasing", "message"),
    [
        ([[5]], [[0]], [0], "unknown thing 5: this world has things 0 to 4"),
        ([[0]], [[2]], [0], "unknown answer 2"),
        ([[0]], [[0]], [16], "unknown phrasing 16"),
        ([[]], [[]], [0], "the prompt is empty"),
    ],
)
def test_what_cannot_be_written(things, answers, phrasing, message):
    game = Game(*(torch.tensor(x, dtype=torch.long) for x in (things, answers, phrasing)))
    with pytest.raises(ValueError, match=message):
        write(SMALL, game)


@pytest.mark.parametrize(
    "wrong", [{"noise": 1.2}, {"drift": -0.1}, {"n_traits": 0}, {"constant": 2.0}, {"n_unknown": -1}]
)
def test_no_such_world(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        World(**wrong)
