"""Who watches a loop is told how far it is."""

from snippets.progress import steps, watched_by


def test_steps_is_range():
    assert list(steps(4)) == [0, 1, 2, 3]
    assert list(steps(0)) == []


def test_the_watcher_hears_the_share_of_several_loops():
    heard = []
    with watched_by(heard.append):
        list(steps(2, loop=0, of=2))
        list(steps(2, loop=1, of=2))
    assert heard == [0.25, 0.5, 0.75, 1.0]
    list(steps(3))
    assert len(heard) == 4, "afterwards nobody is told"
