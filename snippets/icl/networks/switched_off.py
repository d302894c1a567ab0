"""A trained transformer with some of its parts switched off.

A part that is off writes its mean instead: what it writes at this place on average, the
same in every prompt. So the stream stays as large as the parts after it expect, and
nothing of *this* prompt comes from the part.

Source: ours; the network is that of masked_transformer.py.
"""

from collections.abc import Set

import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.networks.parts import rms_norm

KINDS = ("attention", "mlp")
Part = tuple[int, str]  # a layer, counted from 0, and "attention" or "mlp"


# --8<-- [start:switched-off]
class SwitchedOff:
    def __init__(self, network: MaskedTransformer, off: Set[Part]) -> None:
        """Raises ValueError for a part that the network does not have."""
        self.network, self.off = network, off
        here = {(layer, kind) for layer in range(len(network.W_O)) for kind in KINDS}
        for layer, kind in sorted(off - here):
            raise ValueError(
                f"there is no {kind!r} in layer {layer}: the network has layers 0 to "
                f"{len(network.W_O) - 1}, each with 'attention' and 'mlp'"
            )

    def __call__(
        self, tokens: Float[Tensor, "batch pos d_in"], may_read: Bool[Tensor, "pos pos"]
    ) -> Float[Tensor, "batch pos d_out"]:
        net = self.network
        net.check(tokens, may_read)
        x = tokens @ net.W_in
        for layer in range(len(net.W_O)):
            for kind in KINDS:
                wrote = self.writes(x, layer, kind, may_read)
                if (layer, kind) in self.off:
                    wrote = wrote.mean(0, keepdim=True)  # over the prompts, each place
                x = x + wrote
        return rms_norm(x) @ net.W_out

    def writes(
        self,
        x: Float[Tensor, "batch pos d_model"],
        layer: int,
        kind: str,
        may_read: Bool[Tensor, "pos pos"],
    ) -> Float[Tensor, "batch pos d_model"]:
        """What a part adds to the stream that it finds."""
        net = self.network
        if kind == "attention":
            return net.attend(rms_norm(x) @ net.W_QKV[layer], may_read) @ net.W_O[layer]
        return F.relu(rms_norm(x) @ net.W_up[layer]) @ net.W_down[layer]

    # --8<-- [end:switched-off]
