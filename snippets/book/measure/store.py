"""What is written, is written whole or not at all; what is read, is checked.

build/<preset>/<experiment>/seed-<k>.npz          one seed's measurements, with its fingerprint and cost
build/<preset>/<experiment>/seed-<k>.<cell>.npz   the same for one cell of a sweep
build/<preset>/<experiment>/results.json          claims, verdicts and provenance, over all seeds
build/<preset>/<experiment>/figures.json          which figures were drawn, and the hash of each file
"""

import hashlib
import io
import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from snippets.book.errors import BookError
from snippets.book.paths import ROOT, work


def relative(path: Path) -> str:
    """The path as a reader would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


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


def seed_path(experiment: str, preset: str, seed: int | str) -> Path:
    """Where one seed is kept; in a sweep one cell of it, `<seed>.<cell>` (see `paths.unit`)."""
    return work(experiment, preset) / f"seed-{seed}.npz"


def write_seed(path: Path, measurements: dict[str, np.ndarray], about: dict[str, Any]) -> None:
    """Keep one seed's measurements with what is known of their making."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **(measurements | {"__about__": np.array(json.dumps(about))}))  # type: ignore[arg-type]
    write(path, buffer.getvalue())


def read_seed(path: Path, fingerprint: str) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """Measurements and what is known of them; None where they are absent, damaged or of another fingerprint."""
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["__about__"]))
            if about["fingerprint"] != fingerprint:
                return None
            return {name: file[name] for name in file.files if name != "__about__"}, about
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def seed_fingerprint(path: Path) -> str | None:
    """The fingerprint of a seed's measurements, without reading them; None where the file is absent or damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return json.loads(str(file["__about__"]))["fingerprint"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def checksum(content: dict[str, Any]) -> str:
    body = {key: value for key, value in content.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file that tells when it was edited or cut."""
    content = content | {"checksum": checksum(content)}
    write(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any] | None:
    """The content of a file that write_json wrote, None where there is none. Raises BookError where it was changed."""
    try:
        content = json.loads(path.read_text())
        if content.get("checksum") == checksum(content):
            return content
    except FileNotFoundError:
        return None
    except (ValueError, AttributeError):
        pass
    raise BookError(f"{relative(path)} was cut or edited by hand; delete it and run `make book`, nothing is re-trained")
