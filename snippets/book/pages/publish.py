"""From docs/ to site/: checks, expansion, generator, finish; then the new site takes the old one's place at once."""

import shutil
from pathlib import Path

from snippets.book.pages import checks, expand
from snippets.book.pages.finish import Finisher
from snippets.book.paths import BUILD, DOCS, ROOT, SITE, SNIPPETS, relative


def sources() -> list[str]:
    """The files that the pages are made of, besides results, figures and labs that were run."""
    written = [p for p in DOCS.rglob("*") if p.is_file()]
    shown = [*SNIPPETS.rglob("*.py"), *SNIPPETS.rglob("*.js")]
    return sorted(relative(p) for p in [*written, *shown, ROOT / "mkdocs.yml", ROOT / "package-lock.json"])


def build(draft: bool = False) -> None:
    """Build the site. It stops by name at a broken link, an unknown citation, a missing figure, a claim that fails."""
    from snippets.book.pages.generator import Generator  # here, because it imports mkdocs

    if not draft:
        checks.stop_at_problems()
    expand.expand(draft=draft)
    fresh = BUILD / "site-unfinished"
    shutil.rmtree(fresh, ignore_errors=True)
    generator = Generator(expand.PAGES, fresh, strict=not draft)
    generator.build()
    Finisher(fresh, generator.config.site_url or "").all()
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
