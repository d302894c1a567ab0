"""The lab's solution passes its checks, wrong answers are told why, and the notebooks are what they should be."""

import ast
import math
from collections.abc import Callable
from types import SimpleNamespace

import matplotlib
import pytest
import torch
import torch.nn.functional as F

from snippets.book import labs

LAB = "meta_train_a_learner"
CHECKS = {  # the function that finds problems, and the reader's functions that it judges
    "problem_of_family": ("invent", "label"),
    "problem_of_tokens": ("tokens",),
    "problem_of_nearest": ("nearest_neighbour",),
    "problem_of_loss": ("meta_loss",),
    "problem_of_accuracy": ("accuracy_by_place",),
    "problem_of_gain": ("gain",),
    "problem_of_verdict": ("verdict",),
    "problem_of_sweep": ("sweep",),
}
SHORT = {"STEPS = 400": "STEPS = 2", "MANY = 20_000": "MANY = 50", "N_TEST = 1000": "N_TEST = 20"}
Wrong = tuple[str, tuple[Callable, ...], str]


def shortened(text: str) -> str:
    """The lab with next to no training: its checks do not need it."""
    for setting, less in SHORT.items():
        text = text.replace(setting + "\n", less + "\n").replace(setting + " ", less + " ")
    return text


@pytest.fixture(scope="module")
def lab() -> SimpleNamespace:
    """Everything that the lab defines, run as a script without its training."""
    matplotlib.use("Agg")
    torch.set_num_threads(1)
    text = labs.source(LAB).read_text()
    assert all(setting in text for setting in SHORT)
    names: dict = {}
    exec(compile(shortened(text), LAB, "exec"), names)
    matplotlib.pyplot.close("all")
    return SimpleNamespace(**names)


def code(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


# the checks


@pytest.mark.parametrize("check", CHECKS)
def test_the_solution_passes(lab, check):
    answers = [getattr(lab, name) for name in CHECKS[check]]
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


def wrong_answers(lab) -> list[tuple[str, str, tuple[Callable, ...], str]]:
    plain = {
        "problem_of_family": FAMILY,
        "problem_of_tokens": TOKENS,
        "problem_of_nearest": NEAREST,
        "problem_of_gain": GAIN,
        "problem_of_verdict": VERDICT,
    }
    found = [(check, *wrong) for check, answers in plain.items() for wrong in answers]
    found += [("problem_of_loss", name, (meta_loss(lab, **parts),), says) for name, parts, says in LOSS]
    found += [("problem_of_sweep", name, (sweep(lab, **parts),), says) for name, parts, says in SWEEP]
    found += [
        ("problem_of_accuracy", name, (accuracy(lab, reduce, grad),), says) for name, reduce, grad, says in ACCURACY
    ]
    return found


def test_a_wrong_answer_is_told_what_is_wrong(lab, capsys):
    counted = dict.fromkeys(CHECKS, 0)
    for check, name, answers, says in wrong_answers(lab):
        lab.check(getattr(lab, check), *answers)
        said = " ".join(capsys.readouterr().out.split())
        assert said.startswith("not yet: ") and says in said, f"{check}, {name}: {said}"
        counted[check] += 1
    assert min(counted.values()) >= 2, counted


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


# the notebooks


def test_every_function_to_fill_in_has_a_check():
    text = labs.source(LAB).read_text()
    assert text.count(labs.BEGIN + "\n") == sum(map(len, CHECKS.values()))
    for check, functions in CHECKS.items():
        assert f"check({check}, {', '.join(functions)})" in text
        assert all(f"def {function}(" in text for function in functions)


def test_the_exercise_has_stubs_and_nothing_else_of_the_solution():
    exercise = labs.notebook(labs.read(LAB), labs.stub)
    functions = {
        node.name: node
        for cell in code(exercise)
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.FunctionDef)
    }
    for name in (function for pair in CHECKS.values() for function in pair):
        docstring, stub = functions[name].body
        assert isinstance(docstring, ast.Expr)
        assert ast.unparse(stub) == f"raise NotImplementedError('{name} is yours to write')"
    assert not any(cell.outputs or cell.execution_count for cell in code(exercise))


@pytest.mark.parametrize("answer", [labs.stub, labs.solved])
def test_no_mark_is_left_in_a_notebook(answer):
    text = labs.serialised(labs.notebook(labs.read(LAB), answer)).decode()
    assert labs.BEGIN not in text and labs.END not in text and labs.ALT not in text


def test_the_exercise_tells_for_each_check_what_is_not_written(capsys):
    names: dict = {}
    matplotlib.use("Agg")
    for cell in code(labs.notebook(labs.read(LAB), labs.stub)):
        try:
            exec(compile(cell.source, cell.id, "exec"), names)
        except (NotImplementedError, NameError) as error:
            assert "check" not in cell.metadata.get("tags", []), error
    matplotlib.pyplot.close("all")
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("not yet")]
    assert len(said) == len(CHECKS) and all(line.endswith("is yours to write") for line in said)


def test_checks_are_hidden_and_pictures_described():
    cells = code(labs.notebook(labs.read(LAB), labs.stub))
    hidden = [cell for cell in cells if "check" in cell.metadata.get("tags", [])]
    assert len(hidden) == 8 and all(cell.metadata.jupyter.source_hidden for cell in hidden)
    assert [len(cell.metadata.alt) > 100 for cell in cells if "plt.subplots" in cell.source] == [True] * 3


@pytest.mark.pipeline
def test_the_solution_runs_without_error_and_says_what_the_text_says():
    cells = labs.read(LAB)
    run = labs.executed(LAB, labs.notebook(cells, labs.solved))
    outputs = [output for cell in code(run) for output in cell.outputs]
    assert {output.output_type for output in outputs} == {"stream", "display_data"}
    printed = "".join(map(labs.printed, run.cells))
    assert printed.count("correct\n") == len(CHECKS) and labs.NOT_YET not in printed
    assert len(labs.pictures(LAB, run)) == 3
    verdicts = [line.split()[-1] for line in printed.splitlines() if line.split()[:1] and line.split()[0].isdigit()]
    assert verdicts[0] == "remembers" and verdicts[-3:] == ["learns"] * 3 and "recognises" in verdicts
    exercises = [labs.serialised(labs.notebook(labs.read(LAB), labs.stub)) for _ in range(2)]
    assert exercises[0] == exercises[1]
