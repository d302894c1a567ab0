"""What the figures of recall and in_context_regression share: names and panels."""

from snippets.icl.training.comparison import ATTENTION, MATRICES, OTHERS

GROUPS = {  # a panel each
    "attention, vector, window": (*ATTENTION, *OTHERS),
    "matrix memories": ("decoder", *MATRICES),
}
NAMES = {
    "decoder": "decoder-only",
    "encoder-decoder": "encoder-decoder",
    "prefix-lm": "prefix-LM",
    "lstm": "LSTM",
    "convolution": "dilated convolution",
    "linear-attention": "linear attention",
    "deltanet": "DeltaNet",
    "titans": "Titans-style memory",
}
