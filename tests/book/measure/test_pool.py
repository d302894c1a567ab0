"""The pool of workers: everything is done, what fails is named, and a killed worker loses one task."""

import pytest

from snippets.book.measure.pool import Pool, Task
from tests.book.measure.conftest import wait_for

JOBS = "tests.book.measure.jobs"


def task(function: str, *arguments, cost: float | None = 1.0) -> Task:
    return Task(f"{function} {arguments}", f"{JOBS}:{function}", arguments, cost)


def outcomes(tasks: list[Task], workers: int = 2) -> tuple[list, list[str], Pool]:
    found = []
    pool = Pool(workers)
    problems = pool.run(tasks, lambda task, result: found.append((task, result)))
    return found, problems, pool


def test_every_task_is_done():
    found, problems, pool = outcomes([task("square", x) for x in range(7)])
    assert sorted(result for _, result in found) == [x * x for x in range(7)]
    assert problems == [] and pool.running == []
    assert all(task.share == 1 for task in pool.tasks)


def test_the_longest_goes_first_and_the_unknown_before_it():
    order = []
    pool = Pool(1)
    pool.run([task("square", x, cost=c) for x, c in ((1, 2.0), (2, None), (3, 5.0))], lambda t, r: order.append(r))
    assert order == [4, 9, 1]


def test_no_more_workers_than_asked_for_and_none_without_work():
    found, _, _ = outcomes([task("process", 0.2) for _ in range(4)], workers=2)
    assert len({pid for _, pid in found}) == 2
    pool = Pool(8)
    pool.add([task("square", 1)])
    pool.deal()
    assert len(pool.running) == 1
    pool.stop()


def test_a_task_that_is_done_may_ask_for_more():
    pool = Pool(1)
    found = []

    def done(asked: Task, result: int) -> None:
        found.append(result)
        if len(found) < 3:
            pool.add([task("square", result + 1)])

    assert pool.run([task("square", 1)], done) == []
    assert found == [1, 4, 25]


def test_what_fails_is_named_and_the_others_are_done(capfd):
    found, problems, _ = outcomes([task("refuse"), task("stumble"), task("square", 3)])
    assert [result for _, result in found] == [9]
    assert sorted(problems) == [
        ": ZeroDivisionError: by nought; mend the code that the lines above name",
        "part/name: it cannot be; mend it",
    ]
    assert "jobs.py" in capfd.readouterr().err, "an unexpected error shows where it was"


@pytest.mark.parametrize(("kills", "done"), [("x", True), ("xx", False)])
def test_a_killed_worker_is_tried_once_again(tmp_path, kills, done, capfd):
    path = tmp_path / "times"
    path.write_text(kills, encoding="utf-8")
    found, problems, _ = outcomes([task("die", str(path)), task("square", 3)])
    assert (7 in [result for _, result in found]) is done and 9 in [result for _, result in found]
    assert ["its worker ended by signal 9 twice" in line for line in problems] == ([] if done else [True])
    assert "it is tried again" in capfd.readouterr().err


def test_an_error_of_whoever_asked_ends_the_workers():
    pool = Pool(2)
    processes = []

    def done(task: Task, result: object) -> None:
        processes.extend(worker.process for worker in pool.running)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pool.run([task("square", 1), task("process", 60.0)], done)
    wait_for(lambda: not any(process.is_alive() for process in processes))
    assert processes and pool.running == []
