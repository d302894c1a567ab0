"""What is written, is written whole or not at all; what is read, is checked.

Arrays go into a zip file whose bytes depend on nothing but its content; a JSON file carries the checksum of itself.
"""

import hashlib
import io
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from snippets.book.errors import BookError
from snippets.book.paths import relative

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the date of every file in an archive: the same content gives the same bytes
ABOUT = "about.json"
ROWS = "rows.json"  # of each stack in an archive, the names of its rows

__all__ = ["pack", "read_json", "relative", "unpack", "write", "write_json"]


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: a kill or a full disk leaves what stood there before."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".unfinished-", delete=False) as file:
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary:
            temporary.unlink(missing_ok=True)
        raise BookError(
            f"cannot write {relative(path)}: {error.strerror}; make room and run the same command again, "
            "what was finished is kept"
        ) from error


def checksum(content: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> str:
    """One hash of all that is kept, but for the hash itself."""
    body = {key: value for key, value in content.items() if key != "checksum"}
    found = hashlib.sha256(json.dumps(body, sort_keys=True).encode())
    for name in sorted(arrays or {}):
        array = np.ascontiguousarray(arrays[name])  # type: ignore[index]
        found.update(f"{name} {array.dtype.str} {array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def pack(arrays: Mapping[str, np.ndarray], about: Mapping[str, Any]) -> bytes:
    """Arrays by name, and what is known of them, as one file. Names may hold a slash.

    Arrays that differ in nothing but what stands before the slash (the seeds of one measurement) are kept as one array
    with a row for each: a file in an archive costs some 200 bytes of its own, and small arrays are many.
    """
    stacks, rows = stacked(arrays)
    about = {**about, "checksum": checksum(about, arrays)}
    members = {ABOUT: json.dumps(about, sort_keys=True, allow_nan=False).encode(), ROWS: json.dumps(rows).encode()}
    for name, array in stacks.items():
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, array, allow_pickle=False)
        members[f"{name}.npy"] = buffer.getvalue()
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, content, compresslevel=9)
    return whole.getvalue()


def stacked(arrays: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
    """Stacks of the arrays that have a name after the slash, a type and a shape in common; and their rows' names."""
    alike: dict[tuple[str, str, tuple[int, ...]], list[str]] = {}
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        alike.setdefault((name.split("/", 1)[-1], array.dtype.str, array.shape), []).append(name)
    stacks, rows = {}, {}
    for number, ((short, _, _), names) in enumerate(alike.items()):
        stack = short if [short for short, _, _ in alike].count(short) == 1 else f"{short}:{number}"
        stacks[stack] = np.stack([np.asarray(arrays[name]) for name in names])
        rows[stack] = names
    return stacks, rows


def unpack(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """What `pack` put into a file; None where there is none. Raises BookError where it was cut or changed."""
    try:
        with zipfile.ZipFile(path) as file:
            about, rows = json.loads(file.read(ABOUT)), json.loads(file.read(ROWS))
            arrays = {
                name: row for stack, names in rows.items() for name, row in zip(names, member(file, stack), strict=True)
            }
        if about.get("checksum") == checksum(about, arrays):
            return arrays, about
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error):
        pass
    raise BookError(f"{relative(path)} was cut or edited by hand")


def member(file: zipfile.ZipFile, name: str) -> list[np.ndarray]:
    """The rows of one array in an archive, each an array of its own (one number too)."""
    rows = np.lib.format.read_array(io.BytesIO(file.read(f"{name}.npy")), allow_pickle=False)
    return [np.array(row) for row in rows]


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file that tells when it was edited or cut, with a line for each leaf but short lists."""
    content = {**content, "checksum": checksum(content)}
    write(path, (json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any] | None:
    """The content of a file that write_json wrote, None where there is none. Raises BookError where it was changed."""
    try:
        text = path.read_text(encoding="utf-8")
        if "\n<<<<<<< " in f"\n{text}":
            folder = relative(path.parent)
            raise BookError(
                f"{relative(path)} is in conflict after a merge; take either side with `git checkout --ours {folder}` "
                "or --theirs, then `make book` trains what is stale"
            )
        content = json.loads(text)
        if content.get("checksum") == checksum(content):
            return content
    except FileNotFoundError:
        return None
    except (ValueError, AttributeError):
        pass
    raise BookError(
        f"{relative(path)} was cut or edited by hand; run `make book`: it is judged again, nothing is re-trained"
    )
