"""Run by an interpreter that has transformers: what `python -m snippets live` does on models of our own, as JSON.

The models are saved to folders and loaded from there, as anyone's would be.
"""

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import torch
from jaxtyping import install_import_hook

install_import_hook(["snippets.live"], "beartype.beartype")  # each call checks the shapes in its signature

from snippets.book import cli  # noqa: E402
from snippets.book.errors import BookError  # noqa: E402
from snippets.live import command, induction, loading, prompt, tiny, vector  # noqa: E402
from snippets.live.model import LiveModel, encode, last_logits  # noqa: E402
from tests.live import models  # noqa: E402


def saved(live: LiveModel, folder: Path) -> LiveModel:
    """A model from the folder that it was saved to."""
    live.model.save_pretrained(folder)
    live.tokenizer.save_pretrained(folder)
    return loading.load(str(folder))


def random_one(kind: str, folder: Path) -> dict[str, Any]:
    live = saved(tiny.random_model(kind), folder)
    tokens = live.ordinary_tokens()[:12][None]
    logits, patterns = live(tokens)
    _, without = live(tokens, off=[(0, 1)])
    states = live.states(tokens)
    with live.replaced(1, states[1], torch.tensor([tokens.shape[1] - 1])):
        put_back = live.logits(tokens)
    with live.replaced(0, states[0] + 1, torch.tensor([3])):
        moved = (live.logits(tokens) - logits).abs().amax(-1)[0]
    prompts = ["dog -> animal", "dog -> animal\ncat ->"]
    alone = torch.cat([live.logits(torch.tensor([encode(live, one)]))[:, -1] for one in prompts])
    return {
        "type": type(live.model).__name__,
        "sizes": [live.n_layers, live.n_heads, live.n_vocab],
        "rows": max((p.sum(-1) - 1).abs().max().item() for p in patterns),
        "later": max(p.triu(1).abs().max().item() for p in patterns),
        "same_first_pattern": (patterns[0] - without[0]).abs().max().item(),
        "moved_pattern": (patterns[1] - without[1]).abs().max().item(),
        "silenced": silenced(live, tokens),
        "put_back": (put_back - logits).abs().max().item(),
        "moved": moved.tolist(),
        "filled": (last_logits(live, prompts) - alone).abs().max().item(),
        "found": {
            "prompt": prompt.measure(live),
            "induction": induction.measure(live),
            "vector": vector.measure(live),
        },
    }


def silenced(live: LiveModel, tokens: torch.Tensor) -> list[float]:
    """What the attention of layer 0 adds when all heads, all but one, or none are silenced: the largest number."""
    from snippets.live.model import find_output

    W_O, found = find_output(live.blocks[0]), []
    hook = W_O.register_forward_hook(lambda _, given, out: found.append((out - out[:, :1] * 0).abs().max().item()))
    biases = [W_O.bias.abs().max().item() if W_O.bias is not None else 0.0]
    for n in (live.n_heads, live.n_heads - 1, 0):
        live(tokens, off=[(0, head) for head in range(n)])
    hook.remove()
    return found + biases


def errors(folder: Path) -> dict[str, Any]:
    """Bad calls of the command line, with their exit code and what they write on either stream."""
    from transformers import (
        BertConfig,
        BertForMaskedLM,
        MambaConfig,
        MambaForCausalLM,
        T5Config,
        T5ForConditionalGeneration,
    )

    words = tiny.word_tokenizer(tiny.all_words())
    bert = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    t5 = T5Config(vocab_size=len(words), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    mamba = MambaConfig(vocab_size=len(words), hidden_size=16, num_hidden_layers=2, state_size=4, bos_token_id=0)
    kinds = {"bert": BertForMaskedLM(bert), "t5": T5ForConditionalGeneration(t5), "mamba": MambaForCausalLM(mamba)}
    for name, model in kinds.items():
        model.save_pretrained(folder / name)
        words.save_pretrained(folder / name)
    tiny.random_model().model.save_pretrained(folder / "wordless")
    (folder / "empty").mkdir()
    (folder / "torn").mkdir()
    (folder / "torn" / "config.json").write_text("{")
    calls = {
        "no folder": ["--model", str(folder / "nothing")],
        "empty": ["--model", str(folder / "empty")],
        "torn": ["--model", str(folder / "torn")],
        "bert": ["--model", str(folder / "bert")],
        "t5": ["--model", str(folder / "t5")],
        "wordless": ["--model", str(folder / "wordless")],
        "mamba": ["--model", str(folder / "mamba"), "--only", "induction"],
        "mamba prompt": ["--model", str(folder / "mamba"), "--only", "prompt"],
        "layer": ["--model", "random", "--layer", "2"],
        "negative": ["--model", "random", "--layer", "-1"],
        "only": ["--model", "random", "--only", "heads"],
        "offline": ["--model", "gpt2"],
        "malformed": ["--model", "what is this"],
        "drawn": ["--model", "random", "--json", str(folder / "all.json"), "--draw", str(folder / "drawn")],
    }
    return {name: called(arguments) for name, arguments in calls.items()}


def called(arguments: list[str]) -> tuple[int, str, str]:
    sys.argv = ["snippets", "live", *arguments]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code
    return int(code or 0), out.getvalue(), err.getvalue()


def unknown() -> str:
    """What is said where the hub answers that it has no such model."""
    import httpx2
    from huggingface_hub import HfApi, errors

    def no_such(self, name, **_):
        answer = httpx2.Response(404, request=httpx2.Request("GET", "https://hub"))
        raise errors.RepositoryNotFoundError("404", response=answer)

    before, HfApi.model_info = HfApi.model_info, no_such
    try:
        loading.load("someone/nothing")
    except BookError as error:
        return str(error)
    finally:
        HfApi.model_info = before
    return ""


def main(into: str) -> None:
    torch.set_num_threads(1)
    cli.app.command()(command.live)
    folder = Path(into)
    by_hand = saved(models.by_hand(), folder / "by_hand")
    trained = saved(models.trained(), folder / "trained")
    found = {
        "random": {kind: random_one(kind, folder / kind) for kind in tiny.KINDS},
        "by_hand": induction.measure(by_hand),
        "trained": vector.measure(trained, tasks=models.TASKS, other=models.OTHER),
        "one_layer": vector.measure(trained, layer=2, tasks=models.TASKS, other=models.OTHER),
        "errors": errors(folder),
        "unknown": unknown(),
    }
    (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
