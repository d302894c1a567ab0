"""Labs in the pipeline, on a small book with a small lab: what is made, what is kept, what stops the build."""

import json
import os
import re
import signal
import socket

import nbformat
import pytest

from snippets.book.errors import BookError
from snippets.book.pages import lab_pages, labs
from tests.book.conftest import SmallBook
from tests.book.pages.test_live import get, wait_for

LAB = '''# %% [markdown]
# # Add two numbers
#
# Plus is **commutative**: $a + b = b + a$.

# %%
def add(a, b):
    """The sum."""
    # solution
    return a + b
    # end solution


# %% tags=["check"]
# The check.
print("correct" if add(2, 3) == 5 else "not yet: 2 and 3 make 5")

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# Use `+`.
#
# </details>
'''
PICTURE = """
# %%
# alt: A line that rises
# from 0 to 1.
import matplotlib.pyplot as plt

_ = plt.plot([0, 1])
"""


@pytest.fixture
def book(small_book) -> SmallBook:
    """The small book with a lab that is not made yet."""
    source = small_book.root / "snippets" / "labs" / "add.py"
    source.parent.mkdir()
    source.write_text(LAB)
    index = small_book.root / "docs" / "labs" / "index.md"
    index.parent.mkdir()
    index.write_text('# Labs\n\n{{{ lab("add") }}}\n')
    settings = small_book.root / "mkdocs.yml"
    small_book.edit(settings, "  - index.md\n", "  - index.md\n  - labs/index.md\n  - labs/add/index.ipynb\n")
    return small_book


def source(book: SmallBook):
    return book.root / "snippets" / "labs" / "add.py"


def kept(book: SmallBook):
    return book.root / "record" / "labs" / "add.ipynb"


@pytest.mark.pipeline
def test_a_lab_becomes_two_notebooks_and_a_page(book):
    source(book).write_text(LAB + PICTURE)
    built = book.run("build")
    assert built.returncode == 0, built.stderr
    site = book.root / "site" / "labs" / "add"
    page = (site / "index.html").read_text()
    assert "This page is the exercise" in page and 'class="katex"' in page
    asked, _, solved = page.partition("<summary>A solution</summary>")
    assert "is yours to write" in asked and "return" in solved and "lab-output" not in page, "a check's word stays out"
    assert "<summary>The check</summary>" in page and "<summary>Hint</summary>" in page
    assert "<code>+</code>" in page, "Markdown in a fold is rendered"
    assert "jp-" not in page and "base64," not in page and len(page) < 60_000, "nothing of Jupyter's style"
    assert 'alt="A line that rises from 0 to 1."' in page and (site / "cell-5.png").exists()
    exercise = (site / "add.ipynb").read_text()
    assert "add is yours to write" in exercise and "return a + b" not in exercise
    solution = json.loads((site / "index.ipynb").read_text())
    assert [cell["outputs"] for cell in solution["cells"] if cell["cell_type"] == "code"][1][0]["text"] == ["correct\n"]
    links = (book.root / "site/labs/index.html").read_text()
    assert 'download="add.ipynb"' in links and 'download="add-solution.ipynb"' in links

    before = kept(book).read_bytes()
    book.edit(source(book), "Use `+`.", "Use the plus sign.")
    assert book.run("build").returncode == 0
    assert kept(book).read_bytes() == before, "words between the cells run nothing"
    assert "Use the plus sign." in (site / "index.html").read_text()

    book.edit(source(book), "return a + b", "return b + a")
    assert "lab add is not made, or its code has changed since" in book.fails("site")
    assert book.run("build").returncode == 0
    text = re.sub("<[^>]+>", "", (site / "index.html").read_text())
    assert "return b + a" in text and kept(book).read_bytes() != before


@pytest.mark.pipeline
def test_made_twice_is_the_same_to_the_byte_and_damage_is_made_good(book):
    source(book).write_text(LAB + PICTURE)
    assert book.run("labs", "add").returncode == 0
    before = kept(book).read_bytes()
    kept(book).write_bytes(before[: len(before) // 2])
    assert book.run("labs", "add").returncode == 0
    assert kept(book).read_bytes() == before


@pytest.mark.pipeline
def test_a_lab_runs_in_this_python_whatever_kernels_the_machine_names(book, tmp_path, monkeypatch):
    foreign = tmp_path / "kernels" / "python3"
    foreign.mkdir(parents=True)
    spec = {"argv": ["/no/such/python", "-f", "{connection_file}"], "display_name": "P", "language": "python"}
    (foreign / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    made = book.run("labs", "add")
    assert made.returncode == 0, made.stderr


@pytest.mark.pipeline
@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("# %% tags", "add()\n\n# %% tags", "lab add: cell 2 (Add two numbers) raised TypeError: add() missing 2"),
        ("return a + b", "return a - b", "lab add: cell 3 (Add two numbers) finds the solution wrong: 2 and 3 make 5"),
        ("add(2, 3) == 5", "add(2, '3') == 5", "lab add: cell 3 (Add two numbers) raised TypeError: unsupported"),
        ("add(2, 3) == 5", "__import__('os')._exit(1) == 5", "lab add: cell 3 (Add two numbers) ended the kernel"),
    ],
    ids=["raises", "wrong", "check raises", "dies"],
)
def test_a_solution_that_fails_stops_the_build_by_name(book, old, new, says):
    book.edit(source(book), old, new)
    assert says in book.fails("build")
    assert not kept(book).exists()
    assert (book.root / "site/index.html").exists(), "the site that was there stays"


@pytest.mark.pipeline
def test_a_lab_that_no_page_links_and_one_that_is_not_there(book):
    book.edit(book.root / "docs/labs/index.md", 'lab("add")', 'lab("subtract")')
    process = book.run("site")
    assert "docs/labs/index.md links lab subtract, which snippets/labs/ lacks" in process.stderr
    assert "lab add stands on no page" in process.stderr
    assert "no lab 'subtract' in snippets/labs/; there are add" in book.fails("labs", "subtract", code=2)


@pytest.mark.pipeline
def test_the_draft_has_the_page_of_a_lab_before_and_after_it_is_made(book):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/labs/add/"
    process = book.start("serve", "--address", url.split("/")[2], start_new_session=True)
    try:
        first = wait_for(lambda: get(url))
        assert "Add two numbers" in first
        wait_for(lambda: "This page is the exercise" in get(url))
        book.edit(source(book), "Use `+`.", "Use the plus sign.")
        wait_for(lambda: "Use the plus sign." in get(url))
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


# marks, without running anything


@pytest.fixture
def lab_of(tmp_path, monkeypatch):
    """Read the cells of a lab with this source."""

    def cells(text: str) -> list:
        path = tmp_path / "labs" / "add.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        monkeypatch.setattr(labs, "SNIPPETS", tmp_path)
        return labs.read("add")

    return cells


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("    # end solution\n", "", "line 9: '# solution' has no '# end solution'"),
        ("    # solution\n", "", "line 10: '# end solution' stands alone"),
        ("    return a + b\n", "    # solution\n", "line 10: '# solution' stands alone"),
        ("# # Add two numbers\n", "# Add two numbers\n", "does not begin with a Markdown cell and a title"),
    ],
)
def test_a_mark_without_its_partner_is_named(lab_of, old, new, says):
    with pytest.raises(BookError, match=r"snippets/labs/add\.py") as error:
        lab_of(LAB.replace(old, new, 1))
    assert says in str(error.value)


def test_a_stub_stands_where_its_solution_stood(lab_of):
    text = LAB.replace('    """The sum."""\n', '    """The sum."""\n    a = int(a)\n')
    exercise = labs.notebook(lab_of(text), labs.stub).cells[1].source
    assert exercise.endswith('    a = int(a)\n    raise NotImplementedError("add is yours to write")')
    solution = labs.notebook(lab_of(text), labs.solved).cells[1].source
    assert solution.endswith("    a = int(a)\n    return a + b")


def test_a_picture_needs_an_alt_text(lab_of):
    notebook = labs.notebook(lab_of(LAB + PICTURE.replace("# alt", "# old")), labs.solved)
    notebook.cells[-1].outputs = [nbformat.v4.new_output("display_data", {"image/png": ""})]
    with pytest.raises(BookError, match=r"lab add: cell 5 \(Add two numbers\) draws 1 pictures; .* describe it"):
        lab_pages.pictures("add", notebook)


def test_what_labs_share_is_included_and_a_missing_file_named(lab_of, tmp_path):
    text = LAB.replace("# The check.\n", "# The check.\n# include: _checks.py\n")
    with pytest.raises(BookError, match=r"snippets/labs/add\.py includes _checks\.py, which snippets/labs/ lacks"):
        lab_of(text)
    (tmp_path / "labs" / "_checks.py").write_text('"""Shared."""\n\n\ndef check():\n    return 1\n')
    cell = labs.notebook(lab_of(text), labs.solved).cells[2].source
    assert cell.startswith("# The check.\ndef check():\n    return 1\nprint(")
