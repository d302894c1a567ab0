"""Tiny language models of `transformers` that can do something: one by hand, one trained in seconds."""

from typing import Any

import torch
import torch.nn.functional as F
from transformers import GPT2Config, GPT2LMHeadModel

from snippets.live import tiny
from snippets.live.model import LiveModel
from snippets.live.words import NOUNS

INDUCTION_HEAD, PREVIOUS_HEAD = (1, 1), (0, 0)  # where the hand puts them

# Three tasks on the same words, so that without a prompt nothing says which is meant.
WORDS = NOUNS[:14]
TASKS = {
    "plural": {word: f"{word}s" for word in WORDS},
    "upper": {word: word.upper() for word in WORDS},
    "back": {word: word[::-1] for word in WORDS},
}
OTHER = {"plural": "upper", "upper": "back", "back": "plural"}
VECTOR_LAYER = 1  # behind which the trained one holds its task


def gpt2(tokenizer: Any, d: int, heads: int, layers: int, room: int) -> GPT2LMHeadModel:
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=room, n_embd=d, n_head=heads, n_layer=layers,
        tie_word_embeddings=False, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, attn_implementation="eager",
        bos_token_id=tokenizer.bos_token_id, eos_token_id=None,
    )  # fmt: skip
    return GPT2LMHeadModel(config)


@torch.no_grad()
def by_hand() -> LiveModel:
    """A GPT-2 with an induction head. A token's vector has three parts, each a one-hot vector beside its negative, so
    that the mean is 0 and a layer norm only scales: the word, its place, and a buffer for the word before."""
    tokenizer = tiny.word_tokenizer([*NOUNS, "moon", "sun"])
    V, P = len(tokenizer), 104
    d, word, place, buffer = 2 * (2 * V + P), 0, 2 * V, 2 * V + 2 * P
    model = gpt2(tokenizer, d, 2, 2, P)
    for name, parameter in model.named_parameters():
        parameter.fill_(float("ln" in name and name.endswith("weight")))
    d_head, eye = d // 2, torch.eye
    both = lambda n: torch.cat([eye(n), -eye(n)], 1)  # noqa: E731
    model.transformer.wte.weight[:, word : word + 2 * V] = both(V)
    model.transformer.wpe.weight[:, place : place + 2 * P] = both(P)
    model.lm_head.weight[:, word : word + 2 * V] = both(V)
    first, second = (block.attn for block in model.transformer.h)
    scale = (d / 4) ** 0.5  # of the first layer norm: four entries are 1 or -1
    # head 0 of layer 0: place p asks for p - 1, and the word there goes into the buffer
    first.c_attn.weight[place : place + P, :P] = eye(P) * 30 * d_head**0.5 / scale**2
    first.c_attn.weight[place : place + P - 1, d + 1 : d + P] = eye(P - 1)
    first.c_attn.weight[word : word + V, 2 * d : 2 * d + V] = eye(V) / scale
    first.c_proj.weight[:V, buffer : buffer + 2 * V] = both(V)
    # head 1 of layer 1: a word asks for itself in a buffer; the word there is what comes next
    scale = (d / 6) ** 0.5
    second.c_attn.weight[word : word + V, d_head : d_head + V] = eye(V) * 30 * d_head**0.5 / scale**2
    second.c_attn.weight[buffer : buffer + V, d + d_head : d + d_head + V] = eye(V)
    second.c_attn.weight[word : word + V, 2 * d + d_head : 2 * d + d_head + V] = eye(V) / scale
    second.c_proj.weight[d_head : d_head + V, word : word + 2 * V] = 10 * both(V)
    return LiveModel("by hand", model, tokenizer)


def trained(n_steps: int = 300, seed: int = 0) -> LiveModel:
    """A GPT-2 of three layers that has learned the tasks from prompts of six shots; and, besides, to answer a query
    alone with the state of another prompt's last arrow in place. So it has task vectors, behind layer 1."""
    torch.manual_seed(seed)
    tokenizer = tiny.word_tokenizer(WORDS + [y for task in TASKS.values() for y in task.values()])
    model = gpt2(tokenizer, 64, 4, 3, 48)
    ids = {word: i for word, i in tokenizer.get_vocab().items()}
    x = torch.tensor([ids[word] for word in WORDS])
    y = torch.tensor([[ids[task[word]] for word in WORDS] for task in TASKS.values()])
    adam = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=0)
    for step in range(n_steps):
        adam.param_groups[0]["lr"] = 3e-3 * min(1, step / 30, 2 * (1 - step / n_steps))
        which = torch.randint(len(TASKS), (32, 1))
        order = torch.rand(32, len(WORDS)).argsort(1)[:, :7]
        tokens = torch.full((32, 6, 4), ids["\n"])
        tokens[..., 0], tokens[..., 1] = x[order[:, :6]], ids["->"]
        tokens[..., 2] = y[which, order[:, :6]]
        start = torch.full((32, 1), ids["<start>"])
        tokens = torch.cat([start, tokens.flatten(1)], 1)[:, :-2]  # the last shot is a query
        alone = torch.cat([start, x[order[:, 6:]], torch.full((32, 1), ids["->"])], 1)
        answers = y[which, order]
        logits, swapped = with_state(model, tokens, alone)
        loss = F.cross_entropy(logits[:, 2::4].flatten(0, 1), answers[:, :6].flatten())
        loss = loss + F.cross_entropy(swapped, answers[:, 6])
        adam.zero_grad()
        loss.backward()
        adam.step()
    return LiveModel("trained", model, tokenizer)


def with_state(model: GPT2LMHeadModel, prompts: torch.Tensor, alone: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The prompts' logits, and those behind the queries alone, each with its prompt's last state in place."""
    kept = []

    def pass_on(_, given: tuple, out: torch.Tensor) -> torch.Tensor | None:
        if not kept:
            kept.append(out[:, -1:])
            return None
        return torch.cat([out[:, :-1], kept[0]], 1)

    hook = model.transformer.h[VECTOR_LAYER].register_forward_hook(pass_on)
    logits, swapped = model(prompts).logits, model(alone).logits[:, -1]
    hook.remove()
    return logits, swapped
