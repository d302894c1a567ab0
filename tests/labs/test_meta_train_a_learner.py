"""The lab's solution passes its checks, wrong answers are told why, and what its text says is so."""

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from snippets.book.pages import lab_runs
from tests.drawn import of_this_commit

LAB = "meta_train_a_learner"
CHECKS = {  # the function that finds problems, and the reader's functions that it judges
    "problem_of_family": "invent label",
    "problem_of_tokens": "tokens",
    "problem_of_nearest": "nearest_neighbour",
    "problem_of_loss": "meta_loss",
    "problem_of_accuracy": "accuracy_by_place",
    "problem_of_gain": "gain",
    "problem_of_verdict": "verdict",
    "problem_of_sweep": "sweep",
}
PICTURES = 3
NEEDS = {"problem_of_loss": "invent", "problem_of_accuracy": "invent"}
LOST = {"curves"}
SHORT = {"STEPS": 2, "MANY": 50, "N_TEST": 20}  # next to no training: the checks do not need it
Wrong = tuple[str, tuple[Callable, ...], str]


# the checks


@pytest.mark.parametrize("check", CHECKS)
def test_the_solution_passes(lab, check):
    answers = [getattr(lab, name) for name in CHECKS[check].split()]
    assert getattr(lab, check)(*answers) is None


C, L = 3, 24  # as in the lab


def directions(n, generator):
    return torch.randn(n, C, 2, generator=generator)


def largest(tasks, x):
    return (x @ tasks.mT).argmax(-1)


def arcs(n, generator):
    """Another family that is fine: three ends and a turn of the labels."""
    return torch.rand(n, C, generator=generator).cumsum(1)


def arc_of(tasks, x):
    turn = (torch.atan2(x[..., 1], x[..., 0]) / (2 * math.pi)) % 1
    at = (turn + tasks[:, :1]) % 1
    return (at[..., None] > (tasks / tasks[:, -1:])[:, None, :-1]).sum(-1)


def test_other_families_pass(lab):
    assert lab.problem_of_family(arcs, arc_of) is None
    nearest = lambda tasks, x: torch.cdist(x, tasks).argmin(-1)  # noqa: E731
    assert lab.problem_of_family(directions, nearest) is None


FAMILY: list[Wrong] = [
    ("no generator", (lambda n, g: torch.randn(n, C, 2), largest), "gives other tasks for the same generator"),
    (
        "own seed",
        (lambda n, g: directions(n, torch.Generator().manual_seed(0)), largest),
        "gives the same tasks at each call",
    ),
    ("no tensor", (lambda n, g: [1] * n, largest), "invent should return one tensor"),
    ("one task", (lambda n, g: directions(1, g), largest), "whose first dimension is the task"),
    ("scores", (directions, lambda t, x: x @ t.mT), "the labels has the shape (400, 30, 3), not (400, 30)"),
    ("from 1", (directions, lambda t, x: largest(t, x) + 1), "the labels go from 1 to 3, not from 0 to 2"),
    ("floats", (directions, lambda t, x: largest(t, x).float()), "make them integers"),
    ("at random", (directions, lambda t, x: torch.randint(C, x.shape[:2])), "answers differently when asked twice"),
    ("by place", (directions, lambda t, x: (largest(t, x) + torch.arange(x.shape[1])) % C), "where its point stands"),
    (
        "by the others",
        (directions, lambda t, x: (largest(t, x) + (x.sum((1, 2)) > 0)[:, None]) % C),
        "depends on the other points",
    ),
    ("by the batch", (directions, lambda t, x: largest(t - t.mean(0), x)), "a label depends on the other tasks"),
    (
        "no task",
        (directions, lambda t, x: largest(torch.eye(3)[:, :2].expand(len(t), -1, -1), x)),
        "of your tasks, so there is little to learn",
    ),
    (
        "two labels",
        (directions, lambda t, x: (x @ t[:, :2].mT).argmax(-1)),
        "only 2 of the 3 labels ever occur",
    ),
    (
        "one label a task",
        (directions, lambda t, x: t[:, :, 0].argmax(1)[:, None].expand(x.shape[:2])),
        "give all points one label",
    ),
    (
        "fine stripes",
        (directions, lambda t, x: ((x @ t.mT)[..., 0] * 40).floor().long() % C),
        "have the label of their neighbour: make the pieces",
    ),
]


def assembled(now, before) -> Callable:
    """Tokens from what is present, and from what is carried one place on."""

    def tokens(x, y):
        carried = before(x, F.one_hot(y, C).float())
        late = torch.zeros_like(carried)
        late[:, 1:] = carried[:, :-1]
        return torch.cat([now(x, F.one_hot(y, C).float()), late], -1)

    return tokens


def wrapped(x, y):
    shown = torch.cat([x, F.one_hot(y, C).float()], -1)
    return torch.cat([x, shown.roll(1, 1)], -1)


def ahead(x, y):
    shown = torch.cat([x, F.one_hot(y, C).float()], -1)
    return torch.cat([x, shown.roll(-1, 1)], -1)


TOKENS: list[Wrong] = [
    ("leak", (lambda x, y: torch.cat([x, x, F.one_hot(y, C).float()], -1),), "token 0 changes with the label at 0"),
    ("ahead", (ahead,), "the answer leaks"),
    ("wrapped", (wrapped,), "the answer leaks"),
    ("no label", (lambda x, y: torch.cat([x, x, 0 * F.one_hot(y, C).float()], -1),), "does not change with the label"),
    ("no point before", (assembled(lambda x, h: torch.cat([x, 0 * x], -1), lambda x, h: h),), "the point before"),
    ("itself again", (assembled(lambda x, h: torch.cat([x, x], -1), lambda x, h: h),), "from 2 on are 0"),
    (
        "itself again, but the first",
        (assembled(lambda x, h: torch.cat([x, x * (torch.arange(5) > 0)[:, None]], -1), lambda x, h: h),),
        "hold the point itself again",
    ),
    ("label first", (assembled(lambda x, h: x, lambda x, h: torch.cat([h, x], -1)),), "2 and 3 should be"),
    ("shown first", (lambda x, y: assembled(lambda x, h: x[..., :0], lambda x, h: x)(x, y),), "has the shape"),
    ("label as a number", (assembled(lambda x, h: x, lambda x, h: torch.cat([x, 2 * h], -1)),), "the label before: 1"),
]


def neighbour(mask: torch.Tensor, sign: int = 1, first: int = 0) -> Callable:
    def guess(x, y):
        blocked = mask[: x.shape[1], : x.shape[1]].bool()
        found = (sign * torch.cdist(x, x)).masked_fill(blocked, torch.inf).argmin(-1)
        found = y.gather(1, found)
        found[:, 0] = first
        return found

    return guess


def overwrites(x, y):
    guess = neighbour(torch.ones(6, 6).triu(0))(x, y)
    y[:, 0] = 0
    return guess


NEAREST: list[Wrong] = [
    ("itself", (neighbour(torch.zeros(6, 6)),), "each point nearest to itself"),
    ("and itself", (neighbour(torch.ones(6, 6).triu(1)),), "each point nearest to itself"),
    ("later too", (neighbour(torch.eye(6)),), "it looks at later places too"),
    ("farthest", (neighbour(torch.ones(6, 6).triu(0), -1),), "takes the farthest point"),
    ("the last", (lambda x, y: torch.cat([0 * y[:, :1], y[:, :-1]], 1),), "does not give the nearest earlier label"),
    ("says 1 at first", (neighbour(torch.ones(6, 6).triu(0), first=1),), "the guess there is 0"),
    ("distances", (lambda x, y: torch.cdist(x, x),), "has the shape (50, 6, 6), not (50, 6)"),
    ("overwrites", (overwrites,), "it changes y"),
]


def meta_loss(lab, *, pick=None, points=None, rule=None, score=None) -> Callable:
    """The solution with one part exchanged."""

    def loss(learner, pool, batch, generator):
        choice = torch.randint(len(pool), (batch,), generator=generator)
        tasks = pick(pool, choice, generator) if pick else pool[choice]
        x = points(batch, generator) if points else lab.on_circle(batch, L, generator)
        y = rule(tasks, x) if rule else lab.label(tasks, x)
        logits = learner(lab.tokens(x, y))
        return (score or (lambda z, y: F.cross_entropy(z.flatten(0, 1), y.flatten())))(logits, y)

    return loss


LOSS: list[tuple[str, dict, str]] = [
    ("invents", {"pick": lambda p, c, g: directions(len(c), g)}, "labels of no task of the pool"),
    ("one task", {"pick": lambda p, c, g: p[:1].expand(len(c), -1, -1)}, "some tasks of the pool are never used"),
    (
        "the same points",
        {"points": lambda n, g: F.normalize(torch.ones(n, L, 2).cumsum(1) - torch.tensor([0.0, 5.0]), dim=-1)},
        "the points are the same at each step",
    ),
    ("last place", {"score": lambda z, y: F.cross_entropy(z[:, -1], y[:, -1])}, "counts the last place alone"),
    ("a sum", {"score": lambda z, y: F.cross_entropy(z.mT, y, reduction="sum")}, "the sum over places"),
    ("all of them", {"score": lambda z, y: F.cross_entropy(z.mT, y, reduction="none")}, "return one number"),
    ("a number", {"score": lambda z, y: F.cross_entropy(z.mT, y).item()}, "as a tensor"),
    ("shifted", {"score": lambda z, y: F.cross_entropy(z[:, 1:].mT, y[:, :-1])}, "where the mean cross-entropy is"),
    ("random labels", {"rule": lambda t, x: torch.randint(C, x.shape[:2])}, "labels of no task of the pool"),
    ("short", {"points": lambda n, g: F.normalize(torch.randn(n, 5, 2, generator=g), dim=-1)}, "has the shape"),
]


def accuracy(lab, reduce, grad=False) -> Callable:
    def by_place(learner, tasks, generator):
        x = lab.on_circle(len(tasks), L, generator)
        y = lab.label(tasks, x)
        with torch.set_grad_enabled(grad):
            return reduce(learner(lab.tokens(x, y)), y)

    return by_place


ACCURACY: list[tuple[str, Callable, bool, str]] = [
    ("mean over places", lambda z, y: (z.argmax(-1) == y).float().mean(1), False, "it averages over places"),
    ("one number", lambda z, y: (z.argmax(-1) == y).float().mean(), False, "has the shape ()"),
    ("errors", lambda z, y: (z.argmax(-1) != y).float().mean(0), False, "the share of wrong answers"),
    ("next label", lambda z, y: (z.argmax(-1) == y.roll(-1, 1)).float().mean(0), False, "at the same place"),
    (
        "with a graph",
        lambda z, y: z.gather(2, z.argmax(-1, keepdim=True))[..., 0].mean(0),
        True,
        "measure under torch.no_grad()",
    ),
    ("smallest", lambda z, y: (z.argmin(-1) == y).float().mean(0), False, "its largest logit"),
]
GAIN: list[Wrong] = [
    ("turned round", (lambda c: c[0] - c[-5:].mean(),), "the first minus the last"),
    ("the end", (lambda c: c[-5:].mean(),), "take that at the first place away"),
    ("one place", (lambda c: c[:5].mean() - c[0],), "for a curve that starts at 0.30 and ends at 0.70"),
    ("from the second", (lambda c: c[-5:].mean() - c[1],), "it gives -0.20"),
]


def gain(curve):
    return (curve[-5:].mean() - curve[0]).item()


VERDICT: list[Wrong] = [
    (
        "by seen first",
        (lambda s, u: "recognises" if gain(s) >= 0.2 else "learns" if gain(u) >= 0.2 else "remembers",),
        'that are rising on both; that is "learns"',
    ),
    (
        "by the level",
        (lambda s, u: "learns" if u[-1] > 0.5 else "recognises" if gain(s) >= 0.2 else "remembers",),
        "flat but high on others",
    ),
    ("two words", (lambda s, u: "learns" if gain(u) >= 0.2 else "remembers",), 'that is "recognises"'),
    ("other words", (lambda s, u: "memorises",), 'it says "memorises"'),
]


def sweep(lab, *, seen=None, unseen=None, result=tuple, pool=None) -> Callable:
    def sweep(sizes, train):
        curves = {}
        for size in sizes:
            generator = lab.seeded(size)
            tasks = (pool or lab.invent)(size, generator)
            learner = train(tasks, seed=0)
            again = tasks[torch.randint(size, (50,), generator=generator)]
            new = lab.invent(50, generator)
            sets = (seen(again, new, size) if seen else again, unseen(again, new, size) if unseen else new)
            curves[size] = result(lab.accuracy_by_place(learner, t, generator) for t in sets)
        return curves

    return sweep


SWEEP: list[tuple[str, dict, str]] = [
    ("unseen are seen", {"unseen": lambda again, new, n: again}, "they are those of the pool, so draw new ones"),
    ("seen are new", {"seen": lambda again, new, n: new}, "test it on tasks of the pool it was trained on"),
    (
        "exchanged",
        {"seen": lambda again, new, n: new, "unseen": lambda again, new, n: again},
        "seen and unseen are exchanged",
    ),
    ("a list", {"result": list}, "for size 1 return two curves"),
    ("one pool size", {"pool": lambda n, g: directions(4, g)}, "pools of [4, 4] tasks"),
]


PLAIN = {
    "problem_of_family": FAMILY,
    "problem_of_tokens": TOKENS,
    "problem_of_nearest": NEAREST,
    "problem_of_gain": GAIN,
    "problem_of_verdict": VERDICT,
}
WRONG = [  # check, name, from the lab to the answers, what is said of them
    *((c, name, lambda lab, a=answers: a, says) for c, wrong in PLAIN.items() for name, answers, says in wrong),
    *(("problem_of_loss", name, lambda lab, p=parts: (meta_loss(lab, **p),), says) for name, parts, says in LOSS),
    *(
        ("problem_of_accuracy", name, lambda lab, r=reduce, g=grad: (accuracy(lab, r, g),), says)
        for name, reduce, grad, says in ACCURACY
    ),
    *(("problem_of_sweep", name, lambda lab, p=parts: (sweep(lab, **p),), says) for name, parts, says in SWEEP),
]


def test_each_check_meets_wrong_answers():
    assert all(sum(check == wrong[0] for wrong in WRONG) >= 2 for check in CHECKS)


@pytest.mark.parametrize(
    ("check", "answers", "says"),
    [pytest.param(check, answers, says, id=f"{check}-{name}") for check, name, answers, says in WRONG],
)
def test_a_wrong_answer_is_told_what_is_wrong(lab, capsys, check, answers, says):
    lab.check(getattr(lab, check), *answers(lab))
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("not yet: ") and says in said


def test_an_answer_that_raises_is_told_so(lab, capsys):
    lab.check(lab.problem_of_tokens, lambda x, y: x @ y)
    assert capsys.readouterr().out.startswith("not yet: it raised RuntimeError")


def test_the_variants_that_tests_exchange_parts_of_are_right_without(lab):
    assert lab.problem_of_loss(meta_loss(lab)) is None
    assert lab.problem_of_sweep(sweep(lab)) is None
    reduce = lambda logits, y: (logits.argmax(-1) == y).float().mean(0)  # noqa: E731
    assert lab.problem_of_accuracy(accuracy(lab, reduce)) is None


def test_the_network_does_not_see_what_comes_later(lab):
    learner, read = lab.Learner(seed=1), torch.randn(2, 9, 4 + C)
    later = read.clone()
    later[:, 5:] += 1
    torch.testing.assert_close(learner(read)[:, :5], learner(later)[:, :5])


# what the text says, with the whole training


@pytest.fixture
def trains(lab, monkeypatch):
    """The lab, and its functions train as the reader's do."""
    for name, steps in {"STEPS": 400, "N_TEST": 1000}.items():
        monkeypatch.setitem(lab.meta_train.__globals__, name, steps)
    return lab


def tried(lab, size: int, seed: int, invent=None) -> tuple[torch.Tensor, torch.Tensor]:
    """The curves on seen and on unseen tasks, for a pool and a learner that the page does not have."""
    generator = lab.seeded(1000 * seed + size)
    invent = invent or lab.invent
    pool = invent(size, generator)
    learner = lab.meta_train(pool, seed)
    again = pool[torch.randint(size, (1000,), generator=generator)]
    return tuple(lab.accuracy_by_place(learner, t, generator) for t in (again, invent(1000, generator)))


@pytest.mark.results
def test_the_table_is_as_the_text_says():
    rows = [line.split() for cell in lab_runs.solution(LAB).cells for line in lab_runs.printed(cell).splitlines()]
    table = {int(row[0]): row[1:] for row in rows if len(row) == 6 and row[0].isdigit()}
    assert list(table) == [1, 2, 4, 8, 16, 64, 256]
    assert [row[-1] for row in table.values()] == ["remembers"] * 2 + ["recognises"] + ["learns"] * 4
    seen, unseen = ({size: float(row[at]) for size, row in table.items()} for at in (1, 3))
    assert seen[1] > 0.97 and 0.87 < seen[256] < 0.96
    assert max(unseen[size] for size in (1, 2, 4)) < 0.5 and 0.72 < unseen[8] < 0.88
    assert all(abs(seen[size] - unseen[size]) < 0.05 for size in (16, 64, 256))
    assert float(table[2][0]) > 0.85, "the two tasks agree on most of the circle"


@pytest.mark.pipeline
@pytest.mark.parametrize("seed", [1000, 1001])
def test_the_learner_and_the_nearest_neighbour(trains, seed):
    """Step 5, and exercises 1, 3 and 4."""
    pool, new = trains.invent(20_000, trains.seeded(seed + 7)), trains.invent(4000, trains.seeded(seed + 900_000))
    learner = trains.meta_train(pool, seed)

    def both(length):
        x = trains.on_circle(4000, length, trains.seeded(11))
        y = trains.label(new, x)
        with torch.no_grad():
            answer = learner(trains.tokens(x, y)).argmax(-1)
        right = [(guess == y).float().mean(0) for guess in (answer, trains.nearest_neighbour(x, y))]
        return x, y, answer, *right

    x, y, answer, learned, neighbour = both(L)
    assert abs(learned[0] - 1 / 3) < 0.05 and abs(neighbour[0] - 1 / 3) < 0.05
    assert (learned > neighbour)[1:4].all() and (learned < neighbour)[-4:].all()
    assert (learned - neighbour)[4:].abs().max() < 0.06
    assert abs(learned[1] - 0.53) < 0.04 and abs(neighbour[1] - 0.39) < 0.04

    angle = (x[:, 0] * x[:, 1]).sum(-1).clamp(-1, 1).acos() * 180 / math.pi
    repeats = (answer[:, 1] == y[:, 0]).float()
    assert repeats[angle < 60].mean() > 0.9 and repeats[angle > 90].mean() < 0.1

    *_, learned_longer, neighbour_longer = both(48)
    assert abs(learned[-5:].mean() - 0.92) < 0.02 and abs(learned_longer[-5:].mean() - 0.94) < 0.02
    assert abs(neighbour[-5:].mean() - 0.93) < 0.02 and abs(neighbour_longer[-5:].mean() - 0.97) < 0.02
    assert learned_longer[-5:].mean() > learned[-5:].mean() + 0.01


@pytest.mark.pipeline
def test_without_the_point_before_it_gains_at_the_second_place_only(trains, monkeypatch):
    """Exercise 3."""
    whole = trains.tokens
    blank = torch.tensor([1, 1, 0, 0, 1, 1, 1])
    monkeypatch.setitem(trains.meta_train.__globals__, "tokens", lambda x, y: whole(x, y) * blank)
    _, unseen = tried(trains, 20_000, seed=1000)
    assert unseen[0] < 0.38 and abs(unseen[1:] - 0.52).max() < 0.06
    assert abs(unseen[1:5].mean() - unseen[-5:].mean()) < 0.04


@pytest.mark.pipeline
def test_how_many_tasks_it_takes_in_other_draws(trains):
    """Step 7: eight draws of the pools, two of them on this commit."""
    seeds = of_this_commit(range(1000, 1008), 2)
    said = {size: [trains.verdict(*tried(trains, size, seed)) for seed in seeds] for size in (1, 2, 4, 8)}
    assert [set(said[size]) for size in (1, 2, 8)] == [{"remembers"}, {"recognises"}, {"learns"}]
    assert "remembers" not in said[4]
    assert len(seeds) < 8 or said[4].count("recognises") >= 5


def pieces(count: int) -> tuple[Callable, Callable]:
    """A family: the circle in so many arcs with random ends, and the labels take turns from a random first one."""

    def invent(n, generator):
        ends = torch.rand(n, count, generator=generator).cumsum(1)
        start = torch.rand(n, 1, generator=generator)
        order = torch.rand(n, C, generator=generator).argsort(1)
        return torch.cat([ends / ends[:, -1:], start, order], 1)

    def label(tasks, x):
        turn = (torch.atan2(x[..., 1], x[..., 0]) / (2 * math.pi) + tasks[:, count : count + 1]) % 1
        piece = (turn[..., None] > tasks[:, None, : count - 1]).sum(-1)
        return tasks[:, count + 1 :].long().gather(1, piece % C)

    return invent, label


def far_from_both(tasks, x):
    distance = torch.cdist(x, tasks[:, :2])
    return distance.argmin(-1).where(distance.min(-1).values < 1, 2)


OTHERS = {
    "nearest of three": (directions, lambda tasks, x: torch.cdist(x, tasks).argmin(-1)),
    "far from two": (directions, far_from_both),
    "three arcs": pieces(3),
    "six arcs": pieces(6),
    "nine arcs": pieces(9),
}


@pytest.mark.pipeline
@pytest.mark.parametrize("family", of_this_commit(list(OTHERS), 2))
def test_another_family_is_remembered_and_learned_at_the_same_sizes(trains, monkeypatch, family):
    """Exercise 2."""
    invent, label = OTHERS[family]
    assert trains.problem_of_family(invent, label) is None
    monkeypatch.setitem(trains.meta_train.__globals__, "label", label)
    curves = {size: tried(trains, size, seed=1000, invent=invent) for size in (1, 8, 256)}
    assert [trains.verdict(*pair) for pair in curves.values()] == ["remembers", "learns", "learns"]
    if family == "nine arcs":
        x = trains.on_circle(1000, L, trains.seeded(11))
        tasks = invent(1000, trains.seeded(12))
        y = label(tasks, x)
        neighbour = (trains.nearest_neighbour(x, y) == y).float().mean(0)
        assert abs(curves[256][1][-5:].mean() - 0.80) < 0.03 and abs(neighbour[-5:].mean() - 0.82) < 0.03
