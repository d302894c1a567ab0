"""The solution of a lab is run, and its outputs are kept: record/labs/<lab>.ipynb, committed.

What is kept is fresh while its code cells say what the source says now, under the same pins: its outputs are then what
a run would give. Text between the cells may change freely.
"""

import os
import platform
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from snippets.book.errors import BookError
from snippets.book.pages import labs
from snippets.book.paths import ROOT

NOT_YET = "not yet:"  # what a check of a lab prints when an answer is wrong
TIMEOUT = 120  # seconds for one cell
PINNED = ("torch", "matplotlib", "numpy")  # what the outputs depend on besides the code


def kept(lab: str) -> Path:
    return ROOT / "record" / "labs" / f"{lab}.ipynb"


def pins() -> list[str]:
    """What requirements.txt says of the packages that a lab needs."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return [line.split("#")[0].strip() for line in text.splitlines() if re.match(rf"({'|'.join(PINNED)})==", line)]


def processor() -> str:
    """What rounds the numbers: the instructions that torch uses here."""
    import torch

    return f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}"


def solution(lab: str) -> NotebookNode:
    """The solution as its source says it now, with the outputs that are kept. Raises BookError where they are stale."""
    made = labs.notebook(labs.read(lab), labs.solved)
    outputs = fresh_outputs(lab, made)
    if outputs is None:
        raise BookError(stale(lab))
    for cell, found in zip(code_cells(made), outputs):
        cell.outputs = found
    return made


def stale(lab: str) -> str:
    """What is said of a lab whose outputs are not those of its source."""
    return f"lab {lab} is not made, or its code has changed since; run `make book`"


def is_fresh(lab: str) -> bool:
    """Whether the outputs that are kept are those of the source as it is now."""
    return fresh_outputs(lab, labs.notebook(labs.read(lab), labs.solved)) is not None


def fresh_outputs(lab: str, made: NotebookNode) -> list[list[NotebookNode]] | None:
    """The outputs of each code cell; None where the kept notebook is absent, damaged, or of other code or pins."""
    try:
        found = nbformat.reads(kept(lab).read_text(encoding="utf-8"), as_version=4)
        same_code = [cell.source for cell in code_cells(found)] == [cell.source for cell in code_cells(made)]
        if same_code and found.metadata["pins"] == pins():
            return [cell.outputs for cell in code_cells(found)]
    except (OSError, ValueError, KeyError, AttributeError):
        pass
    return None


def make(lab: str) -> bool:
    """Run a lab's solution and keep it, unless what is kept is fresh; returns whether it was run. Raises BookError
    where the solution fails.
    """
    made = labs.notebook(labs.read(labs.known(lab)), labs.solved)
    if fresh_outputs(lab, made) is not None:
        return False
    run = executed(lab, made)
    run.metadata |= {"pins": pins(), "processor": processor()}
    path = kept(lab)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes(labs.serialised(run))
    unfinished.replace(path)
    return True


def executed(lab: str, made: NotebookNode) -> NotebookNode:
    """The notebook with its outputs. Raises BookError naming the cell that raises, hangs, or whose check objects."""
    from nbclient import NotebookClient

    quiet = ["--IPKernelApp.log_level=40"]  # it would warn that a kernel on this machine is not encrypted
    with tempfile.TemporaryDirectory() as empty:  # no start-up file of the reader's own
        client = NotebookClient(
            made, km=own_kernel(), timeout=TIMEOUT, record_timing=False, coalesce_streams=True, extra_arguments=quiet
        )
        alone = {"IPYTHONDIR": empty, "OMP_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        with client.setup_kernel(env=os.environ | alone, cwd=empty):
            for number, cell in enumerate(made.cells, 1):
                if why := problem(client, cell, number):
                    raise BookError(f"lab {lab}: cell {number} ({heading(made, number)}) {why}")
    return made


def own_kernel() -> Any:
    """A kernel of this very Python, whatever other kernels the machine names."""
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

    class OwnKernel(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=argv, display_name="Python 3", language="python")

    return AsyncKernelManager(kernel_spec_manager=OwnKernel())


def problem(client: Any, cell: NotebookNode, number: int) -> str | None:
    """Run one cell; what is wrong with it, or None."""
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    try:
        client.execute_cell(cell, number - 1)
    except CellExecutionError as error:
        return f"raised {error.ename}: {' '.join(error.evalue.split())}"
    except CellTimeoutError:
        return f"took longer than {TIMEOUT} seconds"
    except DeadKernelError:
        return "ended the kernel"
    tidy(cell)
    objections = [line for line in printed(cell).splitlines() if line.startswith(NOT_YET)]
    return f"finds the solution wrong: {objections[0].removeprefix(NOT_YET).strip()}" if objections else None


def tidy(cell: NotebookNode) -> None:
    """Leave out what differs between machines: messages on standard error."""
    if cell.cell_type == "code":
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]


def printed(cell: NotebookNode) -> str:
    """What a cell wrote, as text."""
    parts = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            parts.append(output.text)
        elif "image/png" not in output.data:
            parts.append(output.data.get("text/plain", "") + "\n")
    return "".join(parts)


def heading(made: NotebookNode, number: int) -> str:
    """The last heading at or before a cell."""
    text = "\n".join(cell.source for cell in made.cells[:number] if cell.cell_type == "markdown")
    return re.findall(r"^#+ (.*)$", text, re.MULTILINE)[-1]


def code_cells(made: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in made.cells if cell.cell_type == "code"]
