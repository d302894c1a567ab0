"""The search index as a reader wants it: prose without code and TeX, and chapters found by the words of the field."""

import json
import re
from pathlib import Path
from typing import Any

from snippets.book.pages import pages

CODE = re.compile(r"<pre[ >].*?</pre>", re.DOTALL)
FORMULA = re.compile(r"\\\(.*?\\\)|\\\[.*?\\\]", re.DOTALL)


def tidy(index: Path) -> None:
    """Rewrite the index that the theme has made: a page's `keywords` become tags, which it ranks above all else."""
    content = json.loads(index.read_text(encoding="utf-8"))
    keywords = {page.url: page.meta["keywords"] for page in pages.read_all() if page.meta.get("keywords")}
    docs = [tidied(entry) for entry in content["docs"]]
    for entry in docs:
        if words := keywords.get(entry["location"]):  # only the page itself, none of its sections
            entry["tags"] = sorted({part for word in words for part in (str(word), *re.split(r"[\s-]+", str(word)))})
    content["docs"] = docs
    index.write_text(json.dumps(content, separators=(",", ":"), ensure_ascii=False), encoding="utf-8")


def tidied(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without code and TeX."""
    texts = {key: re.sub(r"\s+", " ", FORMULA.sub(" ", CODE.sub(" ", entry[key]))).strip() for key in ("title", "text")}
    return entry | texts
