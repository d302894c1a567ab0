"""The built site, read as files: links, figures, alt texts, origins, leftovers."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from snippets.book.measure import catalogue
from snippets.book.pages import glossary, lab_pages, labs, ledger, pages, references
from snippets.book.pages.checks import SHORTEST_ALT
from snippets.book.paths import SITE
from snippets.contract import NOT_REPRODUCED

pytestmark = pytest.mark.results

HTML = sorted(SITE.rglob("*.html"))
CHAPTERS = pages.chapters()


class Elements(HTMLParser):
    """Every start tag of a page with its attributes, and the text outside code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {key: value or "" for key, value in attrs}))
        if tag in ("code", "pre", "script", "style", "annotation"):
            self.inside.append(tag)

    def handle_endtag(self, tag):
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data):
        if not self.inside:
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def site() -> dict[Path, Elements]:
    assert HTML, "there is no site; run `make book`"
    return {path: Elements(path.read_text(encoding="utf-8")) for path in HTML}


def built(page: pages.Page) -> Path:
    return SITE / page.url / "index.html"


def test_every_page_of_the_book_was_built(site):
    for page in CHAPTERS:
        assert built(page) in site


def test_every_link_leads_somewhere(site):
    """Each address of the site's own is a file, and each fragment an id on that page."""
    ids = {
        path: {a["id"] for _, a in page.tags if "id" in a} | {a.get("name", "") for a in page.all("a")}
        for path, page in site.items()
    }
    for path, page in site.items():
        for tag, attribute in (("a", "href"), ("img", "src"), ("link", "href"), ("script", "src")):
            for element in page.all(tag):
                address = urlsplit(element.get(attribute, ""))
                if address.scheme in ("http", "https", "mailto", "data", "javascript") or not (
                    address.path or address.fragment
                ):
                    continue
                root = SITE if address.path.startswith("/") else path.parent
                target = (root / unquote(address.path).lstrip("/")).resolve() if address.path else path
                target = target / "index.html" if target.is_dir() else target
                assert target.exists(), f"{path.relative_to(SITE)} leads to {element[attribute]}, which is not there"
                if address.fragment and target in ids and not address.fragment.startswith("__"):
                    assert address.fragment in ids[target], (
                        f"{path.relative_to(SITE)}: no #{address.fragment} in {target}"
                    )


def test_nothing_is_fetched_from_another_origin(site):
    for path, page in site.items():
        for tag, attribute in (
            ("img", "src"),
            ("script", "src"),
            ("link", "href"),
            ("iframe", "src"),
            ("source", "srcset"),
        ):
            for element in page.all(tag):
                if tag == "link" and element.get("rel") in ("canonical", "next", "prev", "edit"):
                    continue
                assert not re.match(r"(https?:)?//", element.get(attribute, "")), f"{path.relative_to(SITE)}: {element}"
    for path in SITE.rglob("*.css"):
        for address in re.findall(r"url\(([^)]+)\)", path.read_text(encoding="utf-8")):
            assert not re.match(r"['\"]?(https?:)?//", address), f"{path.relative_to(SITE)}: {address}"


def test_every_figure_has_both_themes_and_an_alt_text(site):
    for page in CHAPTERS:
        images = [img for img in site[built(page)].all("img") if "figures/" in img["src"]]
        assert images, f"{page.name} has no figure"
        light, dark = ([i for i in images if i["src"].endswith(f"#only-{theme}")] for theme in ("light", "dark"))
        assert len(light) == len(dark) == len(images) / 2
        for one, other in zip(light, dark, strict=True):
            assert one["src"].replace("light", "dark") == other["src"]
            assert one["alt"] == other["alt"] and len(one["alt"]) >= SHORTEST_ALT
            assert Path(one["src"]).name.split(".")[0] != one["alt"].strip().lower()


def test_every_image_has_an_alt_text_and_in_figures_its_size(site):
    for path, page in site.items():
        for image in page.all("img"):
            assert "alt" in image, f"{path.relative_to(SITE)}: {image['src']}"
            if "figures/" in image["src"]:
                assert int(image["width"]) > 0 and int(image["height"]) > 0, f"{path.relative_to(SITE)}: {image['src']}"


def test_only_the_first_picture_of_a_page_is_wanted_at_once(site):
    for page in CHAPTERS:
        images = [img for img in site[built(page)].all("img") if "figures/" in img["src"]]
        eager = [img for img in images if img.get("loading") != "lazy"]
        before = built(page).read_text(encoding="utf-8").partition("/figures/")[0]
        first = images[:1] if "book-diagram" not in before else []  # a diagram is part of the page itself
        assert eager == first, page.name


@pytest.mark.parametrize(
    "leftover", ["{{{", "}}}", "{%%", "[^", "--8<--", "\\(", "\\[", "not measured yet", "not drawn yet"]
)
def test_nothing_unresolved_is_left(site, leftover):
    for path, page in site.items():
        text = "".join(page.text)
        assert leftover not in text, f"{path.relative_to(SITE)}: {text[max(0, text.find(leftover) - 40) :][:120]}"


def test_formulas_are_rendered(site):
    for page in CHAPTERS:
        elements = site[built(page)]
        assert elements.all("math"), f"{page.name} has no formula"
        assert not [a for _, a in elements.tags if a.get("class") == "arithmatex"]
        assert not [a for _, a in elements.tags if "katex-error" in a.get("class", "")]


@pytest.mark.parametrize("lab", labs.discover())
def test_a_lab_has_its_page_its_notebooks_and_its_formulas(site, lab):
    folder = SITE / "labs" / lab
    page = site[folder / "index.html"]
    linked = {a["href"] for a in page.all("a") if "download" in a}
    assert linked == {f"{lab}.ipynb", "index.ipynb"}
    for name in linked:
        assert (folder / name).read_bytes() == lab_pages.files(lab, draft=False)[name]
    assert page.all("math") and not [a for _, a in page.tags if a.get("class") == "arithmatex"]
    assert all(
        len(image["alt"]) >= SHORTEST_ALT for image in page.all("img") if "lab-picture" in image.get("class", "")
    )


def test_every_claim_is_in_the_ledger_and_on_a_page(site):
    ledger = {a["id"] for _, a in site[SITE / "ledger/index.html"].tags if "id" in a}
    marks = {a["href"].split("#")[1] for page in site.values() for a in page.all("a") if a.get("class") == "claim"}
    for name in catalogue.discover():
        for claim in catalogue.load(name).claims:
            anchor = f"{name.split('/')[1]}-{claim.id}".replace("_", "-")
            assert anchor in ledger and anchor in marks


def test_the_ledger_names_what_it_compares_with():
    text = (SITE / "ledger/index.html").read_text(encoding="utf-8")
    for name in catalogue.discover():
        for claim in catalogue.load(name).claims:
            if claim.reported:
                assert claim.reported.verdict in text and references.short(claim.reported.key) in text


def test_the_glossary_has_every_term_and_each_stands_where_it_says(site):
    listed = {a["id"] for _, a in site[SITE / "glossary/index.html"].tags if a.get("class") == "glossary-term"}
    terms = glossary.read_terms()
    assert terms and listed == {term.anchor for term in terms}
    for term in terms:
        defined = [a["id"] for a in site[SITE / term.url / "index.html"].all("dfn")]
        assert defined.count(term.anchor) == 1, term


def test_terms_are_linked_across_the_book_with_a_preview_each(site):
    everywhere = set()
    for page in CHAPTERS:
        elements = site[built(page)]
        linked = [a["href"].partition("#")[2] for a in elements.all("a") if "term" in a.get("class", "").split()]
        ids = [a["id"] for _, a in elements.tags if "id" in a]
        assert len(linked) == len(set(linked)) and all(ids.count(anchor) == 1 for anchor in linked), page.name
        everywhere.update(linked)
    assert {"term-induction-head", "term-prefix-matching-score"} <= everywhere


def test_the_map_has_every_chapter_and_what_it_needs(site):
    elements = site[SITE / "map/index.html"]
    for kind in ("wide", "narrow"):
        drawing = (
            (SITE / "map/index.html").read_text(encoding="utf-8").split(f'class="map-{kind}"')[1].split("</svg>")[0]
        )
        assert drawing.count("<path") == sum(len(page.meta["needs"]) for page in CHAPTERS)
    for page in CHAPTERS:
        assert sum(a["href"] == f"../{page.key}/" for a in elements.all("a")) >= 2


def test_chapters_are_numbered_by_their_place_everywhere(site):
    for place, page in enumerate(CHAPTERS, 1):
        numbered = f"{place}. {page.meta['title']}"
        text = built(page).read_text(encoding="utf-8")
        assert re.search(rf"<h1[^>]*>{re.escape(html.escape(numbered, quote=False))}", text), page.name
        assert f"<title>{numbered} - " in html.unescape(text)
        figures = [int(found) for found in re.findall(rf"<strong>Figure {place}\.(\d+)\.</strong>", text)]
        assert figures == list(range(1, len(figures) + 1)) and figures, page.name
        assert numbered in "".join(site[SITE / "index.html"].text) + html.unescape(text)


def test_the_ledger_opens_with_what_did_not_come_out(site):
    text = (SITE / "ledger/index.html").read_text(encoding="utf-8")
    headings = re.findall(r'<h2 id="([^"]+)"', text)
    assert headings[:2] == ["not-reproduced", "inconclusive"]
    opening = text[text.index('id="not-reproduced"') : text.index('id="inconclusive"')]
    for name in catalogue.discover():
        for claim in catalogue.load(name).claims:
            link = f'href="#{ledger.anchor(name, claim.id)}"'
            missing = bool(claim.reported) and claim.reported.verdict == NOT_REPRODUCED and not claim.exact
            assert (link in opening) == missing, f"{name} {claim.id}"
            assert html.escape(str(claim.holds)) in text, f"{name} {claim.id}: its predicate"


def test_exact_claims_are_counted_apart():
    text = (SITE / "ledger/index.html").read_text(encoding="utf-8")
    claims = [claim for name in catalogue.discover() for claim in catalogue.load(name).claims]
    exact = sum(claim.exact for claim in claims)
    assert f"{len(claims) - exact} measured claims" in text and f"{exact} exact ones" in text


def test_what_machines_are_told():
    told = (SITE / "llms.txt").read_text(encoding="utf-8")
    for page in CHAPTERS:
        assert f"[{page.title}]" in told and page.meta["description"] in told
        assert f'<meta property="og:title" content="{page.title}">' in html.unescape(
            built(page).read_text(encoding="utf-8")
        )
    robots = (SITE / "robots.txt").read_text(encoding="utf-8")
    assert ("Sitemap:" in robots) == (SITE / "sitemap.xml").exists()


def test_run_times_list_every_experiment():
    text = (SITE / "run-times/index.html").read_text(encoding="utf-8")
    for name in catalogue.discover():
        assert f"<code>{name.split('/')[1]}</code>" in text


def test_the_search_index_knows_the_chapters_and_holds_prose():
    index = json.loads((SITE / "search/search_index.json").read_text(encoding="utf-8"))
    entries = {entry["location"]: entry for entry in index["docs"]}
    for page in CHAPTERS:
        assert set(map(str, page.meta["keywords"])) <= set(entries[page.url]["tags"]), page.name
    assert not [location for location in entries if location.startswith("ledger/")]
    for location, entry in entries.items():
        assert "<pre" not in entry["text"] and "\\(" not in entry["title"] + entry["text"], location


def test_the_mermaid_script_of_the_theme_is_never_wanted(site):
    """The theme fetches it from elsewhere, on pages with a mermaid diagram only."""
    for page in site.values():
        assert not [a for _, a in page.tags if "mermaid" in a.get("class", "")]
