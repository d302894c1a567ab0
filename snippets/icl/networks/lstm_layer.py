"""PyTorch's LSTM as a layer: all that it knows of the past is two vectors."""

import torch
from torch import Generator, nn

from snippets.icl.shapes import Stream


# --8<-- [start:layer]
class LSTMLayer(nn.Module):
    def __init__(self, d_model: int, generator: Generator) -> None:
        super().__init__()
        self.lstm = nn.LSTM(d_model, d_model, batch_first=True)
        with torch.no_grad():  # its own first weights come from a global generator
            for name, weight in self.lstm.named_parameters():
                weight.uniform_(-1, 1, generator=generator).mul_(d_model**-0.5)
                if name == "bias_ih_l0":
                    weight[d_model : 2 * d_model] = 1  # start by remembering

    def forward(self, x: Stream, n_examples: int) -> Stream:
        return self.lstm(x)[0]


# --8<-- [end:layer]
