"""A tiny language model with random weights, made on the spot: all of this room runs on it
without a hub, and should find nothing. `python -m snippets live --model random`.
"""

from typing import Any

import torch

from snippets.live import words
from snippets.live.loading import need_transformers
from snippets.live.model import LiveModel

KINDS = ("gpt2", "gpt_neox", "llama")


def random_model(kind: str = "gpt2", seed: int = 0) -> LiveModel:
    """Two layers of four heads, 32 numbers a token, as one of three architectures."""
    need_transformers()
    from transformers import AutoConfig, AutoModelForCausalLM

    if kind not in KINDS:
        raise ValueError(f"no tiny '{kind}'; choose from {', '.join(KINDS)}")
    torch.manual_seed(seed)  # the library draws first weights from torch's own stream
    tokenizer = word_tokenizer(all_words())
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": None}
    config = AutoConfig.for_model(kind, vocab_size=len(tokenizer), **sizes, **ends)
    if kind != "gpt2":
        config.intermediate_size = 64
    config._attn_implementation = "eager"
    return LiveModel(
        f"random {kind}", AutoModelForCausalLM.from_config(config), tokenizer
    )


def all_words() -> list[str]:
    """Every word of the prompts, once."""
    texts = [words.DAX, *words.KINDS, *words.UNSEEN]
    texts += [word for kind in words.KINDS.values() for word in kind]
    texts += [
        word for task in words.TASKS.values() for pair in task.items() for word in pair
    ]
    return sorted({word for text in texts for word in text.replace(".", " ").split()})


def word_tokenizer(vocabulary: list[str]) -> Any:
    """A tokenizer that knows words, the arrow, the full stop and the end of a line."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    known = ["<start>", "<unknown>", "\n", "->", ".", *vocabulary]
    tokenizer = Tokenizer(
        models.WordLevel(
            {word: i for i, word in enumerate(known)}, unk_token="<unknown>"
        )
    )
    pieces = Regex(r"\n|->|\w+|[^\w\s]")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(pieces, "removed", invert=True)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<start>", unk_token="<unknown>"
    )
