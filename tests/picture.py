"""The picture in the README: the first screen of a chapter in a browser. `python -m tests.picture` takes it anew."""

from snippets.book.paths import DOCS, SITE
from tests.site import launched, served

PAGE, FILE = "abrupt-learning/jump/", DOCS / "assets" / "chapter.png"


def take() -> None:
    """Needs a built site."""
    with served(SITE) as url, launched() as browser:
        page = browser.new_page(viewport={"width": 1180, "height": 760}, color_scheme="light")
        page.goto(url + PAGE)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=FILE)


if __name__ == "__main__":
    take()
