"""A small decoder of today's kind, to which a prefix can be given: soft tokens, or keys
and values.

Pre-norm RMSNorm without gains, attention with any of the book's positional encodings, a
gated MLP, no biases. With rotary positions it computes what Hugging Face's
`LlamaForCausalLM` does with the same weights.

Source: lester2021 (soft tokens) and li2021 (keys and values); the shapes of both are
those of the library peft.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal, rms_norm
from snippets.icl.networks.positional_encodings import Nowhere
from snippets.icl.networks.self_attention import check_heads
from snippets.icl.shapes import Heads, Stream

Soft = Float[Tensor, "m d_model"]
Prefix = Float[Tensor, "twice_n_layers head m d_head"]  # keys, values of each layer


# --8<-- [start:network]
class Decoder(nn.Module):
    def __init__(
        self,
        words: Float[Tensor, "word d_model"],  # their first vectors
        n_answers: int,
        n_layers: int,
        n_heads: int,
        positions: Nowhere,
        generator: Generator,
        n_positions: int = 128,  # the longest sequence that it reads
    ) -> None:
        super().__init__()
        d_model, layers, small = words.shape[1], range(n_layers), (2 * n_layers) ** -0.5
        check_heads(d_model, n_heads)
        self.n_heads, self.n_positions = n_heads, n_positions
        self.positions = positions

        def matrix(rows: int, columns: int, scale: float = 1.0) -> nn.Parameter:
            return normal(rows, columns, std=scale * rows**-0.5, generator=generator)

        self.W_E = nn.Parameter(words.clone())
        self.W_QKV = nn.ParameterList(matrix(d_model, 3 * d_model) for _ in layers)
        self.W_O = nn.ParameterList(matrix(d_model, d_model, small) for _ in layers)
        self.W_gate = nn.ParameterList(matrix(d_model, 2 * d_model) for _ in layers)
        self.W_up = nn.ParameterList(matrix(d_model, 2 * d_model) for _ in layers)
        self.W_down = nn.ParameterList(
            matrix(2 * d_model, d_model, small) for _ in layers
        )
        self.W_U = matrix(d_model, n_answers, 0.1)

    def forward(
        self,
        tokens: Int[Tensor, "batch pos"],
        soft: Soft | None = None,
        prefix: Prefix | None = None,
    ) -> Float[Tensor, "batch pos answer"]:
        """Logits at each word. `soft` stands in front of the words' vectors, `prefix`
        in front of every layer's keys and values."""
        self.check(tokens, soft, prefix)
        # --8<-- [start:steer]
        x = self.W_E[tokens]
        if soft is not None:  # prompt tuning: words that no vocabulary has
            x = torch.cat([soft.expand(len(x), -1, -1), x], 1)
        x = self.positions.add(x)
        for layer in range(len(self.W_O)):
            past = None if prefix is None else prefix[2 * layer : 2 * layer + 2]
            x = x + self.attend(layer, rms_norm(x), past) @ self.W_O[layer]
            x = x + self.mlp(layer, rms_norm(x))
        # --8<-- [end:steer]
        return (rms_norm(x) @ self.W_U)[:, -tokens.shape[1] :]

    def attend(
        self, layer: int, x: Stream, past: Float[Tensor, "2 head m d_head"] | None
    ) -> Stream:
        """Each word's average over the past, itself included, and over a prefix."""
        q, k, v = self.heads(layer, x, 0 if past is None else past.shape[2])
        if past is not None:  # prefix tuning: keys and values that no word made
            k, v = (
                torch.cat([given.expand(len(x), -1, -1, -1), own], 2)
                for given, own in zip(past, (k, v))
            )
        n, total = q.shape[2], k.shape[2]
        later = torch.full((n, total), -torch.inf).triu(total - n + 1)
        bias = self.positions.bias(total)[..., -n:, :]
        read = F.scaled_dot_product_attention(q, k, v, later + bias)
        return read.transpose(1, 2).flatten(2)

    def heads(self, layer: int, x: Stream, start: int = 0) -> tuple[Heads, ...]:
        """Queries, keys and values. The first word stands at position `start`."""
        split = (x @ self.W_QKV[layer]).unflatten(2, (3, self.n_heads, -1))
        q, k, v = split.permute(2, 0, 3, 1, 4)  # each (batch, head, pos, d_head)
        room = (0, 0, start, 0)  # empty places for what stands before
        q, k = (self.positions.rotate(F.pad(one, room))[:, :, start:] for one in (q, k))
        return q, k, v

    def mlp(self, layer: int, x: Stream) -> Stream:
        gate = F.silu(x @ self.W_gate[layer])
        return (gate * (x @ self.W_up[layer])) @ self.W_down[layer]

    # --8<-- [end:network]

    # --8<-- [start:text_prefix]
    @torch.no_grad()
    def prefix_of(self, words: Int[Tensor, " m"]) -> Prefix:
        """The keys and values that a text makes when it stands in front."""
        self.check(words[None], None, None)
        x, made = self.positions.add(self.W_E[words[None]]), []
        for layer in range(len(self.W_O)):
            _, k, v = self.heads(layer, rms_norm(x))
            made += [k[0], v[0]]
            x = x + self.attend(layer, rms_norm(x), None) @ self.W_O[layer]
            x = x + self.mlp(layer, rms_norm(x))
        return torch.stack(made)

    # --8<-- [end:text_prefix]

    def check(self, tokens: Tensor, soft: Tensor | None, prefix: Tensor | None) -> None:
        """Raise ValueError, in words, for what the network cannot read."""
        if tokens.numel() == 0:
            raise ValueError("the prompt is empty: give at least one word")
        least, most, n_words = int(tokens.min()), int(tokens.max()), len(self.W_E)
        if least < 0 or most >= n_words:
            raise ValueError(
                f"unknown symbol: words run from {least} to {most}, and this network "
                f"knows 0 to {n_words - 1}"
            )
        m = sum(x.shape[-2] for x in (soft, prefix) if x is not None)
        if m >= self.n_positions:
            raise ValueError(
                f"m = {m} soft tokens leave no room among the {self.n_positions} "
                "positions: take fewer"
            )
        if m + tokens.shape[1] > self.n_positions:
            raise ValueError(
                f"a sequence of {m + tokens.shape[1]} words is longer than the "
                f"{self.n_positions} positions: shorten it"
            )
        self.check_shapes(soft, prefix)

    def check_shapes(self, soft: Tensor | None, prefix: Tensor | None) -> None:
        """Raise ValueError where soft tokens or a prefix do not fit the network."""
        d_model, n_layers = self.W_E.shape[1], len(self.W_O)
        if soft is not None and (soft.dim() != 2 or soft.shape[1] != d_model):
            raise ValueError(
                f"soft tokens have shape {tuple(soft.shape)}: give (m, {d_model})"
            )
        right = (2 * n_layers, self.n_heads, d_model // self.n_heads)
        if prefix is not None and (*prefix.shape[:2], prefix.shape[-1]) != right:
            raise ValueError(
                f"a prefix of shape {tuple(prefix.shape)} does not fit: give "
                f"({right[0]}, {right[1]}, m, {right[2]})"
            )
        if any(x is not None and x.shape[-2] == 0 for x in (soft, prefix)):
            raise ValueError("m = 0: no soft token is no prefix; leave it out")


def count_parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())
