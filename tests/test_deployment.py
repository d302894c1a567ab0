"""The site with the settings that only a deployment has, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from snippets.book.pages import expand
from snippets.book.pages.finish import Finisher
from snippets.book.pages.generator import Generator
from tests.site import CHAPTERS, served

pytestmark = [pytest.mark.results, pytest.mark.browser]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory) -> Iterator[str]:
    """The site as a deployment builds it, below a sub-path, with addresses of site and repository."""
    told = {"SITE_URL": "http://127.0.0.1/in-context/", "REPO_URL": "https://forge.invalid/someone/in-context",
            "EDIT_URI": "edit/main/docs/"}  # fmt: skip
    root = tmp_path_factory.mktemp("deployed")
    with pytest.MonkeyPatch.context() as patch, served(root) as url:
        for name, value in told.items():
            patch.setenv(name, value)
        patch.setenv("SITE_URL", f"{url}in-context/")
        generator = Generator(expand.PAGES, root / "in-context")
        generator.build()
        Finisher(root / "in-context", str(generator.config.site_url)).all()
        yield f"{url}in-context/"


def test_a_deployment_asks_nobody_else(watched, deployed):
    for path in ("", CHAPTERS[0], "ledger/"):
        one = watched(deployed + path)
        one.page.wait_for_load_state("networkidle")
        assert one.errors == [] and one.foreign(deployed) == [], path
        assert one.page.locator("a.md-source").first.get_attribute("href") == "https://forge.invalid/someone/in-context"
    edit = watched(deployed + CHAPTERS[0]).page.locator("a[rel=edit]").get_attribute("href")
    assert edit == f"https://forge.invalid/someone/in-context/edit/main/docs/{CHAPTERS[0].rstrip('/')}.md"
    assert CHAPTERS[0] in (one.page.request.get(deployed + "sitemap.xml").text())
    assert f"Sitemap: {deployed}sitemap.xml" in one.page.request.get(deployed + "robots.txt").text()


def test_a_deployment_s_page_for_wrong_addresses_is_styled_and_leads_home(watched, deployed):
    one = watched(deployed + "404.html")
    assert one.errors == [] and one.foreign(deployed) == []
    one.page.locator(".nowhere a").click()
    expect(one.page.locator(".book-hero")).to_be_visible()
