"""A small language model: a decoder-only transformer over tokens, and how to let it write.

Pre-norm RMSNorm without gains, rotary positions, a GELU MLP four times as wide as the
stream, no biases; embedding and unembedding are two matrices. A cache of keys and values
makes writing cheap: each new token is read once.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal, rms_norm
from snippets.icl.networks.positional_encodings import angles
from snippets.icl.shapes import Heads, Stream

Cache = list[tuple[Tensor, Tensor]]  # keys and values of each layer, as read so far


# --8<-- [start:network]
class LanguageModel(nn.Module):
    def __init__(
        self,
        n_vocab: int,
        n_positions: int,
        d_model: int,
        n_layers: int,
        n_heads: int,
        generator: Generator,
    ) -> None:
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"n_heads = {n_heads} does not divide d_model = {d_model}")
        self.n_heads = n_heads

        def matrix(rows: int, columns: int, scale: float = 1.0) -> nn.Parameter:
            return normal(rows, columns, std=scale * rows**-0.5, generator=generator)

        d, layers, small = d_model, range(n_layers), (2 * n_layers) ** -0.5
        self.W_E = normal(n_vocab, d, std=1.0, generator=generator)
        self.W_QKV = nn.ParameterList(matrix(d, 3 * d) for _ in layers)
        self.W_O = nn.ParameterList(matrix(d, d, small) for _ in layers)
        self.W_up = nn.ParameterList(matrix(d, 4 * d) for _ in layers)
        self.W_down = nn.ParameterList(matrix(4 * d, d, small) for _ in layers)
        self.W_U = matrix(d, n_vocab, 0.1)  # the first guesses are nearly even
        turns = angles(n_positions, d // n_heads).float()
        self.register_buffer("turns", torch.stack([turns.cos(), turns.sin()]))

    def forward(
        self, tokens: Int[Tensor, "batch pos"], cache: Cache | None = None
    ) -> Float[Tensor, "batch pos n_vocab"]:
        """Logits of the token after each. With a cache, `tokens` go on where it ends,
        and it grows by them."""
        start = cache[0][0].shape[2] if cache else 0
        self.check(tokens, start)
        x = self.W_E[tokens]
        for layer in range(len(self.W_O)):
            x = x + self.attend(layer, x, start, cache) @ self.W_O[layer]
            x = x + F.gelu(rms_norm(x) @ self.W_up[layer]) @ self.W_down[layer]
        return rms_norm(x) @ self.W_U

    def attend(self, layer: int, x: Stream, start: int, cache: Cache | None) -> Stream:
        """Each token's average over itself and those before it, in every head."""
        split = (rms_norm(x) @ self.W_QKV[layer]).unflatten(2, (3, self.n_heads, -1))
        q, k, v = split.permute(2, 0, 3, 1, 4)  # each (batch, head, pos, d_head)
        q, k = self.turned(q, start), self.turned(k, start)
        if cache is not None:
            if start:
                k = torch.cat([cache[layer][0], k], 2)
                v = torch.cat([cache[layer][1], v], 2)
            cache[layer : layer + 1] = [(k, v)]
        one = q.shape[2] == 1  # the newest token sees all
        read = F.scaled_dot_product_attention(q, k, v, is_causal=not one)
        return read.transpose(1, 2).flatten(2)

    def turned(self, x: Heads, start: int) -> Heads:
        """Rotary positions: each pair of coordinates turned by its place's angle."""
        cos, sin = self.turns[:, start : start + x.shape[2]]  # type: ignore[index]
        first, second = x.chunk(2, -1)
        return torch.cat([first * cos - second * sin, first * sin + second * cos], -1)

    # --8<-- [end:network]

    def check(self, tokens: Tensor, start: int) -> None:
        """Raise ValueError, in words, for what the network cannot read."""
        n_vocab, n_positions = self.W_E.shape[0], self.turns.shape[1]  # type: ignore[index]
        if tokens.numel() == 0:
            raise ValueError("the prompt is empty: give at least one token")
        if start + tokens.shape[1] > n_positions:
            raise ValueError(
                f"a sequence of {start + tokens.shape[1]} tokens is longer than the "
                f"network's {n_positions} positions"
            )
        if start and tokens.shape[1] > 1:
            raise ValueError("after a cache, give one token at a time")
        least, most = int(tokens.min()), int(tokens.max())
        if least < 0 or most >= n_vocab:
            raise ValueError(
                f"token ids run from {least} to {most}; the vocabulary is 0 to "
                f"{n_vocab - 1}"
            )


# --8<-- [start:losses]
def losses(
    model: LanguageModel, tokens: Int[Tensor, "batch pos"]
) -> Float[Tensor, "batch pos_before_last"]:
    """Loss of each token but the first, guessed from all before it, as given."""
    guess = model(tokens[:, :-1]).log_softmax(-1)
    return -guess.gather(-1, tokens[:, 1:, None])[..., 0]


# --8<-- [end:losses]


# --8<-- [start:write]
@torch.no_grad()
def write(
    model: LanguageModel,
    start: Int[Tensor, "batch pos"],
    length: int,
    generator: Generator,
) -> tuple[Int[Tensor, "batch length"], Float[Tensor, "batch written"]]:
    """Let the model go on to `length` tokens, each drawn from its own guess (temperature
    1), and the entropy of each guess in nats."""
    if start.shape[1] >= length:
        raise ValueError(
            f"{start.shape[1]} tokens are given and {length} wanted: nothing to write"
        )
    text, cache, entropy = start, [], []  # type: ignore[var-annotated]
    logits = model(start, cache)[:, -1]
    while text.shape[1] < length:
        guess = logits.log_softmax(-1)
        entropy.append(-(guess.exp() * guess).sum(-1))
        drawn = torch.multinomial(guess.exp(), 1, generator=generator)
        text = torch.cat([text, drawn], 1)
        if text.shape[1] < length:
            logits = model(drawn, cache)[:, -1]
    return text, torch.stack(entropy, 1)


# --8<-- [end:write]
