"""What makes a built site stale."""

from snippets.book.pages import publish
from snippets.book.pages.shown import INTERACTIVES
from snippets.book.paths import ROOT


def test_a_site_depends_on_every_script_of_a_figure_to_touch():
    scripts = {path.relative_to(ROOT).as_posix() for path in INTERACTIVES.glob("*.js")}
    assert len(scripts) > 20 and scripts <= set(publish.sources())
