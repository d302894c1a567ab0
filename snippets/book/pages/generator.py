"""MkDocs, called from Python on the expanded pages: the whole site, or one page of it again."""

import logging
import os
from pathlib import Path
from typing import Any

os.environ["NO_MKDOCS_2_WARNING"] = "1"  # the theme would print one each time; requirements.txt keeps mkdocs below 2

from jinja2 import Environment
from mkdocs.commands import build as steps
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import MkDocsException
from mkdocs.plugins import BasePlugin
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation

from snippets.book.errors import BookError
from snippets.book.paths import ROOT


class Kept(BasePlugin):
    """Keeps what MkDocs has read for one build, so that a page can be made again."""

    files: Files
    nav: Navigation
    env: Environment

    def on_env(self, env: Environment, *, config: MkDocsConfig, files: Files) -> None:
        self.env, self.files = env, files

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> None:
        self.nav = nav


class Warnings(logging.Handler):
    """What MkDocs warns of. With `strict` it would only count."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


class Generator:
    """One site, from a folder of expanded pages into another folder. What MkDocs has read is there after `build`."""

    config: MkDocsConfig
    kept: Kept

    def __init__(self, pages: Path, site: Path, strict: bool = True, url: str = "") -> None:
        pages.mkdir(parents=True, exist_ok=True)
        self.pages, self.site, self.strict, self.url = pages, site, strict, url

    def build(self) -> None:
        """The whole site. Raises BookError with what MkDocs warns of if the site is strict."""
        self.config = load_config(str(ROOT / "mkdocs.yml"), docs_dir=str(self.pages), site_dir=str(self.site))
        if self.url:
            self.config.site_url = self.url
            self.config.extra_javascript.append("assets/draft.js")
        self.config.plugins["kept"] = self.kept = Kept()
        self.watched(lambda: steps.build(self.config, serve_url=self.url or None))

    def rebuild(self, file: str, site: Path) -> Path:
        """One page again, its text alone having changed, into a site that was built. Returns the HTML file."""
        config, kept = self.config, self.kept
        found = kept.files.get_file_from_path(file)
        assert found is not None and found.page is not None, file
        page, found.abs_dest_path = found.page, str(site / found.dest_uri)

        def again() -> None:
            steps._populate_page(page, config, kept.files)
            steps._build_page(page, config, kept.files.documentation_pages(), kept.nav, kept.env)

        self.watched(again)
        return site / found.dest_uri

    def watched(self, step: Any) -> None:
        """Take a step of MkDocs and raise BookError with what it says."""
        log, warnings = logging.getLogger("mkdocs"), Warnings()
        log.addHandler(warnings)
        log.propagate = False
        try:
            step()
        except (MkDocsException, SystemExit) as error:
            raise BookError("\nerror: ".join(warnings.said) or f"mkdocs failed: {error}") from error
        finally:
            log.removeHandler(warnings)
        if warnings.said and self.strict:
            raise BookError("\nerror: ".join(warnings.said))
