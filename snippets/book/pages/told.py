"""What a site tells machines: robots.txt, llms.txt, and a sitemap only where its addresses are known."""

from pathlib import Path

from snippets.book.pages import navigation, pages
from snippets.book.paths import DOCS


def tell(site: Path, url: str) -> None:
    """Write the files for robots and language models; `url` is where the site will be served, "" if nobody said."""
    rules = "User-agent: *\nAllow: /\n" + (f"Sitemap: {url}sitemap.xml\n" if url else "")
    (site / "robots.txt").write_text(rules, encoding="utf-8")
    (site / "llms.txt").write_text(summary(url), encoding="utf-8")
    if not url:  # a sitemap holds whole addresses, or nothing
        for name in ("sitemap.xml", "sitemap.xml.gz"):
            (site / name).unlink(missing_ok=True)


def summary(url: str) -> str:
    """The book in a page of Markdown: what it is, and each page with its description."""
    first = pages.read(DOCS / "index.md")
    lines = ["# In Context", "", f"> {first.meta.get('description', 'An executable book on in-context learning.')}"]
    for title, files in navigation.sections(navigation.settings_text()):
        lines += ["", f"## {title}", ""] if title else [""] if lines[-1] else []
        for file in files:
            if (DOCS / file).exists():  # a lab's page is written when the lab is made
                page = pages.read(DOCS / file)
                lines.append(f"- [{page.title}]({url}{page.url}): {page.meta.get('description', '')}".rstrip(": "))
    return "\n".join(lines) + "\n"
