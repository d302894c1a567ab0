"""What every causal language model of `transformers` has, under one set of names: blocks, heads,
patterns, logits. So the book's own measures can be taken of it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from snippets.book.errors import UsageError
from snippets.icl.measures import Patterns

# What the library's architectures call the matrix behind the heads, W_O.
OUTPUTS = ("c_proj", "dense", "o_proj", "out_proj", "wo")


# --8<-- [start:model]
class LiveModel:
    """A language model and its tokenizer. Called as the book's own networks are, so that
    `ablate` and all measures of patterns take it: it is a `Network` of icl/measures."""

    def __init__(self, name: str, model: Any, tokenizer: Any) -> None:
        self.name, self.tokenizer = name, tokenizer
        self.model = model.eval().requires_grad_(False)
        self.blocks = find_blocks(model)
        self.n_layers = len(self.blocks)
        self.n_heads = int(getattr(model.config, "num_attention_heads", 0) or 0)
        self.n_vocab = int(model.config.vocab_size)

    @torch.no_grad()
    def __call__(
        self,
        tokens: Int[Tensor, "batch pos"],
        off: Collection[tuple[int, int]] = (),
        patterns: Patterns | None = None,
    ) -> tuple[Float[Tensor, "batch pos n_vocab"], Patterns]:
        """Logits, and the patterns (batch, head, query, key) of each layer, with some
        heads, as (layer, head), silenced."""
        if patterns is not None:
            raise ValueError("a loaded model's patterns cannot be set: ablate fully")
        with self.silenced(off):
            found = self.model(tokens, output_attentions=True)
        patterns = getattr(found, "attentions", None)
        if not patterns or patterns[0] is None or not self.n_heads:
            raise UsageError(
                f"'{self.name}' has no attention heads: nothing to look at"
            )
        return found.logits, patterns

    @torch.no_grad()
    def logits(
        self, tokens: Int[Tensor, "batch pos"]
    ) -> Float[Tensor, "batch pos n_vocab"]:
        """Logits alone."""
        return self.model(tokens).logits

    @contextmanager
    def silenced(self, heads: Collection[tuple[int, int]]) -> Iterator[None]:
        """Within the block these heads write zero: what they read is cut out of what goes
        into W_O, where heads lie side by side."""
        with ExitStack() as hooks:
            for layer, head in heads:
                self.check_layer(layer)
                W_O = find_output(self.blocks[layer])

                def cut(_: nn.Module, given: tuple, head: int = head) -> tuple:
                    by_head = given[0].unflatten(-1, (self.n_heads, -1)).clone()
                    by_head[..., head, :] = 0
                    return (by_head.flatten(-2), *given[1:])

                hooks.callback(W_O.register_forward_pre_hook(cut).remove)
            yield

    # --8<-- [start:states]
    @torch.no_grad()
    def states(self, tokens: Int[Tensor, "1 pos"]) -> Float[Tensor, "layer d_model"]:
        """The residual stream at the last token, behind each block."""
        found: list[Tensor] = []
        with ExitStack() as hooks:
            for block in self.blocks:

                def keep(_: nn.Module, given: tuple, out: Any) -> None:
                    found.append(stream(out)[0, -1])

                hooks.callback(block.register_forward_hook(keep).remove)
            self.logits(tokens)
        return torch.stack(found)

    @contextmanager
    def replaced(
        self,
        layer: int,
        vector: Float[Tensor, " d_model"],
        last: Int[Tensor, " batch"],
    ) -> Iterator[None]:
        """Within the block a vector stands in for what block `layer` hands on at the place
        `last` of each prompt."""
        self.check_layer(layer)

        def put(_: nn.Module, given: tuple, out: Any) -> Any:
            changed = stream(out).clone()
            changed[torch.arange(len(last)), last] = vector
            return changed if torch.is_tensor(out) else (changed, *out[1:])

        hook = self.blocks[layer].register_forward_hook(put)
        try:
            yield
        finally:
            hook.remove()

    # --8<-- [end:states]

    def check_layer(self, layer: int) -> None:
        """Raises UsageError for a layer that is not there."""
        if not 0 <= layer < self.n_layers:
            raise UsageError(
                f"'{self.name}' has no layer {layer}: its {self.n_layers} blocks are "
                f"numbered 0 to {self.n_layers - 1}"
            )

    def looks_ahead(self) -> bool:
        """Whether the last token moves answers before it, by more than rounding against what
        it moves of its own."""
        usual = self.ordinary_tokens()
        tokens = usual[torch.arange(8) * (len(usual) - 1) // 7][None]
        other = tokens.clone()
        other[0, -1] = usual[len(usual) // 2 + 1]
        moved = (self.logits(tokens) - self.logits(other))[0].abs().amax(-1)  # (pos,)
        return bool(moved[:-1].max() > 1e-4 * moved[-1])

    def ordinary_tokens(self) -> Int[Tensor, " ordinary"]:
        """All tokens but those with a meaning of their own, such as the end of a text."""
        special = set(self.tokenizer.all_special_ids)
        n = min(self.n_vocab, len(self.tokenizer))
        return torch.tensor([t for t in range(n) if t not in special])


# --8<-- [end:model]


def encode(live: LiveModel, text: str) -> list[int]:
    """A prompt's tokens, with the start token that the model is used to, if any."""
    ids = live.tokenizer(text, add_special_tokens=False)["input_ids"]
    start = live.tokenizer.bos_token_id
    return ids if start is None else [start, *ids]


def first_token(live: LiveModel, before: str, word: str) -> int:
    """The first token of a word behind a prompt: what is scored as the answer."""
    prompt = live.tokenizer(before, add_special_tokens=False)["input_ids"]
    whole = live.tokenizer(f"{before} {word}", add_special_tokens=False)["input_ids"]
    if whole[: len(prompt)] != prompt or len(whole) == len(prompt):
        raise UsageError(
            f"'{live.name}' joins the end of a prompt to the answer '{word}': its tokenizer "
            f"does not begin a word at a space, and no first token can be scored"
        )
    return whole[len(prompt)]


def last_logits(
    live: LiveModel, prompts: Sequence[str]
) -> Float[Tensor, "prompt n_vocab"]:
    """Logits behind each prompt. Shorter ones are filled up behind their end, which a
    causal model does not see."""
    tokens, last = filled(live, prompts)
    return live.logits(tokens)[torch.arange(len(last)), last]


def filled(
    live: LiveModel, prompts: Sequence[str]
) -> tuple[Int[Tensor, "prompt pos"], Int[Tensor, " prompt"]]:
    """Prompts as rows of one table, and the place of the last token of each."""
    rows = [encode(live, prompt) for prompt in prompts]
    longest = max(len(row) for row in rows)
    tokens = torch.tensor([row + [row[-1]] * (longest - len(row)) for row in rows])
    return tokens, torch.tensor([len(row) - 1 for row in rows])


def stream(out: Any) -> Float[Tensor, "batch pos d_model"]:
    """What a block hands on; some return it with other things behind it."""
    return out if torch.is_tensor(out) else out[0]


def find_blocks(model: nn.Module) -> Sequence[nn.Module]:
    """The blocks, first to last: the outermost list with one for each layer."""
    n = getattr(model.config, "num_hidden_layers", None)  # type: ignore[union-attr]
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == n:
            return list(module)
    raise UsageError(
        f"no list of {n} blocks in a {type(model).__name__}: its parts are unlike those known"
    )


def find_output(block: nn.Module) -> nn.Module:
    """The matrix W_O of a block's attention."""

    def inside(module: nn.Module, wanted: Callable[[str], bool]) -> Iterator[nn.Module]:
        return (part for name, part in module.named_children() if wanted(name))

    for attention in inside(block, lambda name: "attn" in name or "attention" in name):
        for attention_or_inner in (attention, *attention.children()):
            for output in inside(attention_or_inner, lambda name: name in OUTPUTS):
                return output
    raise UsageError(
        f"no attention with an output of a known name in a {type(block).__name__}: "
        f"looked for {', '.join(OUTPUTS)}"
    )
