"""The same expanded pages under another generator: Zensical reads what MkDocs reads, and its articles say the same."""

import re
import shutil
import subprocess
import venv
from html.parser import HTMLParser
from pathlib import Path

import pytest

from snippets.book.pages import expand, labs
from snippets.book.pages.generator import Generator
from snippets.book.paths import BUILD, ROOT

pytestmark = [pytest.mark.results, pytest.mark.zensical]

PIN = "zensical==0.0.70"
NO_TEXT = {"script", "style", "svg", "nav", "button", "label"}  # an annotation's button, an icon, a list of contents
VOID = {"img", "br", "hr", "input", "meta", "link", "source", "wbr"}


class Article(HTMLParser):
    """The words of a page's article, without what a theme puts around them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.inside: list[str] = []
        found = re.search(r"<article[^>]*>(.*)</article>", text, re.DOTALL)
        assert found, "there is no article"
        self.feed(found[1])

    def handle_starttag(self, tag, attrs):
        classes = (dict(attrs).get("class") or "").split()
        unwanted = tag in NO_TEXT or {"headerlink", "md-content__button", "md-source-file"} & set(classes)
        if tag not in VOID and (self.inside or unwanted):
            self.inside.append(tag)

    def handle_endtag(self, tag):
        if self.inside:
            self.inside.pop()

    def handle_data(self, data):
        if not self.inside:
            self.words += data.split()


@pytest.fixture(scope="module")
def zensical() -> Path:
    """The command, in an environment of its own. Where its wheels cannot be had there is nothing to test."""
    home = BUILD / "zensical"
    command = home / "bin" / "zensical"
    if not (home / PIN).exists():
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home, with_pip=True)
        pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--only-binary", ":all:", PIN]
        got = subprocess.run(pip, capture_output=True, text=True, check=False, timeout=300)
        if got.returncode:
            pytest.skip(f"{PIN} cannot be installed here: {got.stderr.strip().splitlines()[-1]}")
        (home / PIN).touch()
    return command


@pytest.fixture(scope="module")
def sites(zensical, tmp_path_factory) -> tuple[Path, Path]:
    """The site that MkDocs makes of build/pages/, before it is finished, and the one that Zensical makes."""
    assert (expand.PAGES / "index.md").exists(), "there are no expanded pages; run `make book`"
    root = tmp_path_factory.mktemp("zensical")
    theme = Path("snippets/book/pages/theme")
    shutil.copytree(expand.PAGES, root / "build" / "pages")
    shutil.copytree(ROOT / theme, root / theme)
    shutil.copy(ROOT / "mkdocs.yml", root)
    Generator(expand.PAGES, root / "by-mkdocs").build()
    built = subprocess.run(
        [zensical, "build", "-f", "mkdocs.yml"], cwd=root, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return root / "by-mkdocs", root / "site"


# made by mkdocs-jupyter, which Zensical does not have
NOTEBOOKS = {Path("labs") / lab / "index.html" for lab in labs.discover()}


def test_both_make_the_same_pages_but_for_notebooks(sites):
    one, other = ({path.relative_to(site) for path in site.rglob("*.html")} for site in sites)
    assert one == other | NOTEBOOKS


def test_every_article_says_the_same(sites):
    differing = {}
    for path in sorted(sites[0].rglob("*.html")):
        page = path.relative_to(sites[0])
        if path.name == "404.html" or page in NOTEBOOKS:
            continue
        one, other = (Article((site / page).read_text(encoding="utf-8")).words for site in sites)
        if one != other:
            at = next((i for i, pair in enumerate(zip(one, other)) if pair[0] != pair[1]), min(len(one), len(other)))
            differing[str(page)] = (" ".join(one[at - 3 : at + 9]), " ".join(other[at - 3 : at + 9]))
    assert differing == {}
