"""Load a causal language model by its name on the hub, or from a folder.

Source: Hugging Face's `transformers`, whose `Auto` classes know which architecture a folder
holds. What can go wrong is said in one line, with the remedy.
"""

import tomllib
from pathlib import Path
from typing import Any

import torch

from snippets.book.errors import BookError, UsageError
from snippets.book.paths import ROOT
from snippets.live.model import LiveModel


def need_transformers() -> None:
    """Raise BookError where the optional packages are not installed."""
    try:
        import transformers  # noqa: F401
    except ImportError as error:
        raise BookError(
            f"a real model needs packages that are not here ({error}); install them with "
            f".venv/bin/python -m pip install {' '.join(pins())}"
        ) from error


def pins() -> list[str]:
    """The optional packages, as pyproject.toml pins them in its group `live`."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return settings["dependency-groups"]["live"]


# --8<-- [start:load]
def load(name: str, revision: str | None = None) -> LiveModel:
    """The model and its tokenizer, ready to be asked. `name` is a name on the hub, such as
    gpt2 or EleutherAI/pythia-160m, or a folder."""
    need_transformers()
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    where: dict[str, Any] = {"revision": revision, "local_files_only": is_here(name)}
    config = asked(AutoConfig.from_pretrained, name, where)
    if type(config) not in AutoModelForCausalLM._model_mapping:
        raise UsageError(
            f"'{name}' is no causal language model: it is a {config.model_type}"
        )
    tokenizer = tokenizer_of(name, where)
    model, loading = asked(
        AutoModelForCausalLM.from_pretrained,
        name,
        where | {"config": config, "output_loading_info": True},
        # eager: the attention that writes its patterns down
        attn_implementation="eager",
        dtype=torch.float32,
    )
    if missing := sorted(loading["missing_keys"]):
        raise UsageError(
            f"'{name}' holds no weights for {missing[0]} and {len(missing) - 1} others of a "
            f"causal language model: it was saved as something else"
        )
    live = LiveModel(name, model, tokenizer)
    if live.looks_ahead():
        raise UsageError(
            f"'{name}' is no causal language model: a later token moves its earlier answers"
        )
    return live


# --8<-- [end:load]


def tokenizer_of(name: str, where: dict[str, Any]) -> Any:
    """The tokenizer that lies beside the weights."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name, **where)
        tokenizer("a")  # one that was made of nothing fails here
    except Exception as error:  # each library has its own for this
        raise UsageError(
            f"'{name}' has no tokenizer that can be read ({first_line(error)}); save it into "
            f"the same folder, with tokenizer.save_pretrained"
        ) from error
    if not tokenizer("a b c", add_special_tokens=False)["input_ids"]:
        raise UsageError(
            f"'{name}' has a tokenizer without words; save its own beside the weights"
        )
    return tokenizer


def asked(ask: Any, name: str, where: dict[str, Any], **settings: Any) -> Any:
    """What the library returns; a BookError of one line where it raises."""
    try:
        return ask(name, **where, **settings)
    except (MemoryError, RuntimeError) as error:
        if "memory" in str(error).lower() or isinstance(error, MemoryError):
            raise BookError(
                f"'{name}' does not fit into this machine's memory; choose a smaller model, "
                f"such as gpt2"
            ) from error
        raise
    except (OSError, ValueError, KeyError) as error:
        if where["revision"]:
            name = f"{name}' at revision '{where['revision']}"
        raise UsageError(f"'{name}' cannot be loaded: {first_line(error)}") from error


def is_here(name: str) -> bool:
    """Whether all is to be read from this machine: a folder, or a model fetched before
    where the hub is out of reach. Raises UsageError for a name that the hub does not know,
    BookError where it cannot be asked."""
    if Path(name).is_dir():
        if not (Path(name) / "config.json").exists():
            raise UsageError(
                f"the folder '{name}' holds no model: it has no config.json"
            )
        return True
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise UsageError(f"there is no folder '{name}'")
    from huggingface_hub import HfApi, errors, try_to_load_from_cache

    try:
        HfApi().model_info(name, timeout=20)
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise UsageError(
            f"the hub has no model '{name}' that may be read without signing in"
        ) from error
    except Exception as error:  # connections fail in many ways
        if isinstance(try_to_load_from_cache(name, "config.json"), str):
            return True
        raise BookError(
            f"'{name}' is not on this machine and the hub is out of reach "
            f"({first_line(error)}); go online, or name a folder that holds a model"
        ) from error
    return False


def first_line(error: BaseException) -> str:
    """The first sentence of an error, without its stop."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")[:160]
