"""Names for the commonest shapes, so that a signature fits on one line.

`batch` prompts of `pos` tokens; `head` heads; `d_model` and `d_head` as in the field.
Tests check each at run time.
"""

from jaxtyping import Float, Int
from torch import Tensor

Stream = Float[
    Tensor, "*batch pos d_model"
]  # the residual stream, or any token vectors
Pattern = Float[
    Tensor, "*batch pos pos"
]  # attention: row = query, column = key, rows sum to 1
HeadPattern = Float[Tensor, "*batch head pos pos"]
Heads = Float[Tensor, "*batch head pos d_head"]  # queries, keys or values, head by head
Tokens = Int[Tensor, "*batch pos"]
Logits = Float[Tensor, "*batch n_labels"]
Labels = Int[Tensor, "*batch"]
Inputs = Float[Tensor, "*batch pos d"]  # x of regression prompts
Values = Float[Tensor, "*batch pos"]  # y of regression prompts
