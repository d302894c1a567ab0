# %% [markdown]
# # Attention by hand
#
# Attention is how a token of a transformer gets information from other tokens. It is
# matrix products and a softmax, no more. In the first half of this lab you **compute**
# it, on three tokens, with numbers that you can check on paper. In the second half you
# **set the weights** of three heads by hand: one copies the token before, one looks a
# key up in a dictionary, one averages. Nothing is trained. At the end you compare your
# attention with PyTorch's, and draw it.
#
# Each step has a short explanation, a function to fill in, a check, and a hint to
# unfold. Run the cells from top to bottom. You need Python, matrix products, and a
# little PyTorch; no background in transformers. No GPU is needed; every cell runs in
# seconds.
#
# Source: [Vaswani et al. (2017)](https://arxiv.org/abs/1706.03762), sections 3.2.1 and
# 3.2.2, for attention, its scale, and heads side by side. The weights are ours.

# %%
# Set up a bare machine: install what is missing, and nothing else.
import importlib.util
import subprocess
import sys

missing = [p for p in ("torch", "matplotlib") if importlib.util.find_spec(p) is None]
if missing:
    print("installing", " and ".join(missing), "(this can take some minutes)")
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *missing], check=True)

import math

import matplotlib
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

print("Python", sys.version.split()[0])
print("torch", torch.__version__.split("+")[0])
print("matplotlib", matplotlib.__version__)


# %% tags=["check"]
# Used by all checks: nothing to do here, but run it.
# include: _checks.py


def problem_of_shapes(answer, **shapes):
    """Is the answer these tensors, in this order? None in a shape allows any size."""
    names = ", ".join(shapes)
    tensors = answer if isinstance(answer, tuple) else (answer,)
    if len(tensors) != len(shapes) or not all(map(torch.is_tensor, tensors)):
        return f"return {'the tensor' if len(shapes) == 1 else 'the tensors'} {names}"
    for tensor, (name, shape) in zip(tensors, shapes.items()):
        fits = len(tensor.shape) == len(shape) and all(
            wanted in (None, got) for got, wanted in zip(tensor.shape, shape)
        )
        if not fits:
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            return f"{name} has the shape {tuple(tensor.shape)}, not ({wanted})"
    return None


def same(a, b):
    a, b = torch.as_tensor(a), torch.as_tensor(b)
    return torch.allclose(a.double(), b.double(), atol=1e-5)


def random_tensors(seed, *shapes):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) for shape in shapes]


# %% [markdown]
# ## Step 1. Scores
#
# Each token has three vectors. Its **query** says what it is looking for, its **key**
# says what it has to offer to those who look, and its **value** is what they get. The
# **score** from token $t$ to token $s$ tells how well they fit. It is the product of
# the query at $t$ with the key at $s$:
#
# $$ \text{score}_{ts} = q_t \cdot k_s = \sum_{i=1}^{d_k} q_{ti}\, k_{si} . $$
#
# (Scores are also called attention logits.) Queries and keys have $d_k$ numbers each.
# Here are three tokens with $d_k = 4$. One row is one token.

# %%
Q = torch.tensor([[2.0, 0, 0, 0], [2, 0, 2, 0], [0, 4, 0, 1]])  # queries (3, d_k)
K = torch.tensor([[1.0, 0, 1, 0], [0, 1, 0, 0], [1, 1, 0, 0]])  # keys (3, d_k)
V = torch.tensor([[10.0, 0], [0, 10], [10, 10]])  # values (3, d_v)

# %% [markdown]
# On paper first: what are the scores from token 1 to the tokens 0, 1 and 2? (We count
# from 0, as Python does.) Then fill in `scores`, for all pairs at once: row $t$ belongs
# to the query at $t$, column $s$ to the key at $s$.


# %%
def scores(Q, K):
    """The products of all queries with all keys: (n, n), a row for each query.

    Q, K: (n, d_k)
    """
    # solution
    return Q @ K.T
    # end solution


# %% tags=["check"]
# The check of step 1.
def problem_of_scores(scores):
    Q, K = random_tensors(0, (5, 4), (5, 4))
    answer = scores(Q, K)
    if torch.is_tensor(answer) and answer.shape == (4, 4):
        return (
            "that is Q.T @ K: it multiplies number i of all queries with number j of "
            "all keys; multiply each query with each key"
        )
    if torch.is_tensor(answer) and answer.shape == (5, 4):
        return (
            "that is the product number by number; add the products up, and pair each "
            "query with every key, not only with its own"
        )
    if torch.is_tensor(answer) and answer.shape == (5,):
        return "that pairs each query with its own key; pair it with every key"
    if problem := problem_of_shapes(answer, scores=(5, 5)):
        return problem
    expected = torch.einsum("ti,si->ts", Q, K)
    if same(answer, expected):
        return None
    if same(answer, expected.T):
        return "the scores are transposed: a row belongs to a query, not to a key"
    if same(answer, expected / 2):
        return "they are divided by the root of d_k; leave that for step 3"
    t, s = divmod((answer - expected).abs().argmax().item(), 5)
    return f"the score from {t} to {s} is {answer[t, s]:.2f}, not {expected[t, s]:.2f}"


check(problem_of_scores, scores)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# Entry $(t, s)$ of a matrix product is row $t$ of the first times *column* $s$ of the
# second. The keys are the rows of `K`, so they are the columns of `K.T`.
#
# </details>

# %%
print(scores(Q, K))

# %% [markdown]
# Token 1 fits token 0 best: $2 \cdot 1 + 2 \cdot 1 = 4$. Mind that from 0 to 1 the
# score is 0, and from 1 to 0 it is 4. Who looks and who is looked at are two things.

# %% [markdown]
# ## Step 2. Softmax
#
# Scores become **weights**: not negative, and adding up to 1 for each query. The
# softmax does that. In a row $z_0, z_1, \dots$ of scores,
#
# $$ \text{weight}_s = \frac{e^{z_s}}{\sum_r e^{z_r}} . $$
#
# Only differences count: with $c$ added to every score of a row, each $e^{z_s}$ is
# multiplied by $e^c$, above and below the line. Use that: $e^{1000}$ is infinite for a
# computer, so subtract the row's largest score first.
#
# Fill in `softmax_rows`. Do it without `torch.softmax`, this once.


# %%
def softmax_rows(scores):
    """The weights, of the same shape. Each row adds up to 1.

    scores: (n, m), a row for each query
    """
    # solution
    shifted = scores - scores.max(dim=1, keepdim=True).values
    powers = shifted.exp()
    return powers / powers.sum(dim=1, keepdim=True)
    # end solution


# %% tags=["check"]
# The check of step 2.
def problem_of_softmax(softmax_rows):
    (z,) = random_tensors(1, (4, 4))
    answer = softmax_rows(z.clone())
    if problem := problem_of_shapes(answer, weights=(4, 4)):
        return problem
    if same(answer, z.log_softmax(1)):
        return "these are the logarithms of the weights"
    if not same(answer, z.softmax(1)):
        if same(answer, z.softmax(0)):
            return (
                "columns add up to 1, rows should: the softmax goes over the keys, so "
                "sum over dim=1"
            )
        if same(answer, z.flatten().softmax(0).view(4, 4)):
            return "the whole matrix adds up to 1; each row should, by itself"
        if same(answer, z.exp()) or same(answer, (z - z.max(1, True).values).exp()):
            return "these are the powers of e; divide each by the sum of its row"
        powers = z.exp()
        shifted = (z - z.max(1, True).values).exp()
        if any(same(answer, p / p.sum(1)) for p in (powers, shifted)) or same(
            answer, (z - z.max(1).values).softmax(1)
        ):
            return (
                "something of one row is used in another: `sum` and `max` give one "
                "number a row, and PyTorch takes these for a row; with keepdim=True "
                "they stay a column"
            )
        if answer.min() < 0:
            return f"a weight is negative, {answer.min():.2f}: e to the score is not"
        sums = answer.sum(1)
        t = (sums - 1).abs().argmax().item()
        if abs(sums[t] - 1) > 1e-4:
            return f"row {t} adds up to {sums[t]:.2f}, not to 1"
        return (
            f"rows add up to 1, but the weights in row 0 are "
            f"{', '.join(f'{w:.2f}' for w in answer[0])}, and should be "
            f"{', '.join(f'{w:.2f}' for w in z.softmax(1)[0])}"
        )
    large = torch.tensor([[1000.0, 1001.0, 999.0], [0.0, 1.0, -1.0]])
    answer = softmax_rows(large)
    if answer[0].isnan().any():
        return "scores near 1000 give NaN: subtract the largest score of the row first"
    if answer.isnan().any():
        return (
            "with scores near 1000 in one row the other row gives NaN: subtract each "
            "row's own largest score, not the largest of all"
        )
    low = torch.tensor([[-1000.0, -1001.0, -torch.inf], [0.0, -torch.inf, -torch.inf]])
    if not same(softmax_rows(low), low.softmax(1)):
        return (
            "scores near -1000, or of minus infinity, go wrong: subtract the row's "
            "largest score, whatever it is"
        )
    return None


check(problem_of_softmax, softmax_rows)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# `scores.max(dim=1, keepdim=True).values` is the largest score of each row, as a column
# of shape `(n, 1)`. Subtracted from the scores it acts on each row. The same goes for
# `sum(dim=1, keepdim=True)`.
#
# </details>

# %% [markdown]
# ## Step 3. Why divide by the root of d_k
#
# Let the numbers in queries and keys be random, independent, with mean 0 and
# variance 1. A score is a sum of $d_k$ products $q_i k_i$. Each product has mean 0 and
# variance $E[q_i^2]\,E[k_i^2] = 1$, and variances of independent terms add up:
#
# $$ \mathrm{Var}(q \cdot k) = d_k . $$
#
# So scores spread by $\sqrt{d_k}$: the longer the vectors, the larger the differences
# between scores, though the tokens fit no better. The softmax then gives nearly all
# weight to one token. And it no longer reacts: if a weight $p$ comes from a score $z$,
# then $dp/dz = p\,(1 - p)$, which is near 0 when $p$ is near 1. Training follows such
# derivatives, so it would hardly move.
#
# The remedy: divide each score by $\sqrt{d_k}$. The spread is 1 again. Fill in
# `scaled_scores`.


# %%
def scaled_scores(Q, K):
    """The scores, divided by the root of d_k: (n, n).

    Q, K: (n, d_k)
    """
    # solution
    return scores(Q, K) / math.sqrt(Q.shape[1])
    # end solution


# %% tags=["check"]
# The check of step 3.
def problem_of_scaled_scores(scaled_scores):
    Q, K = random_tensors(2, (4, 9), (4, 9))
    answer = scaled_scores(Q, K)
    if problem := problem_of_shapes(answer, scores=(4, 4)):
        return problem
    plain = Q @ K.T
    if same(answer, plain / 3):
        return None
    for wrong, why in (
        (plain, "the scale is missing: these are the scores of step 1"),
        (plain / 9, "they are divided by d_k; divide by its root"),
        (plain * 3, "they are multiplied by the root of d_k; divide by it"),
        (
            plain / 2,
            "they are divided by the root of the number of tokens, `len(Q)`; d_k is "
            "the length of one query, `Q.shape[1]`",
        ),
        (plain.T / 3, "the scores are transposed: a row belongs to a query"),
        ((plain / 3).softmax(1), "the softmax comes later; return the scores"),
    ):
        if same(answer, wrong):
            return why
    t, s = divmod((answer - plain / 3).abs().argmax().item(), 4)
    return (
        f"for d_k = 9 the score from {t} to {s} is {answer[t, s]:.2f}, not "
        f"{plain[t, s] / 3:.2f}"
    )


check(problem_of_scaled_scores, scaled_scores)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# `Q.shape` is `(n, d_k)`. `math.sqrt` takes the root.
#
# </details>
#
# Is it true? Here are 500 random queries and eight random keys, for growing $d_k$. The
# table shows how far the scores spread, and for each query the largest of its eight
# weights, $p$, and how that reacts, $p\,(1-p)$, on average. With eight equal weights
# $p$ would be 0.125.

# %%
print("          not divided                     divided by the root of d_k")
print(" d_k   spread  largest p   p (1 - p)    spread  largest p   p (1 - p)")
for d_k in (1, 4, 16, 64, 256, 1024):
    queries, keys = random_tensors(0, (500, d_k), (8, d_k))
    row = f"{d_k:4}"
    for z in (scores(queries, keys), scaled_scores(queries, keys)):
        p = softmax_rows(z).max(dim=1).values
        row += f"   {z.std():6.2f}  {p.mean():9.3f}   {(p * (1 - p)).mean():9.3f}"
    print(row)

# %% [markdown]
# In our three tokens $\sqrt{d_k} = 2$, so the scores of token 1 become 2, 0 and 1.

# %% [markdown]
# ## Step 4. The causal mask
#
# A language model predicts the next token. In training it reads the whole text at once,
# so a token must not look at those that come after it: it would see the answer. With
# the **causal mask** token $t$ sees itself and what came before, nothing later. The
# hidden scores are set to $-\infty$ *before* the softmax. As $e^{-\infty} = 0$, they
# get no weight, and those that remain still add up to 1.
#
# The weights, one row for each query, are the **attention pattern**. On paper: what is
# its row 0? And row 1, with $e^2 \approx 7.4$?
#
# Fill in `causal_pattern`.


# %%
def causal_pattern(scores):
    """The attention pattern (n, n): row t has weights on tokens 0 to t only.

    scores: (n, n), already divided by the root of d_k
    """
    # solution
    n = len(scores)
    future = torch.ones(n, n).triu(1).bool()  # True where s > t
    return softmax_rows(scores.masked_fill(future, -torch.inf))
    # end solution


# %% tags=["check"]
# The check of step 4.
def hidden(z):
    """The scores with the future at minus infinity."""
    return z.masked_fill(torch.ones_like(z).triu(1).bool(), -torch.inf)


def problem_of_pattern(pattern, z):
    """Is it the causal pattern of these scores?"""
    n = len(z)
    if pattern[0].isnan().all() and not pattern[1:].isnan().any():
        return "row 0 is NaN: token 0 sees nothing at all, but it should see itself"
    if pattern.isnan().any():
        return (
            "the pattern has NaN: 0 times infinity is not a number, so do not multiply "
            "a mask by infinity; `masked_fill` sets the hidden scores"
        )
    if pattern.isinf().any():
        return "these are the scores with the future hidden; now take their softmax"
    if same(pattern, hidden(z).softmax(1)):
        return None
    if same(pattern, z.tril().softmax(1)):
        return (
            "the hidden scores are 0, and e to the 0 is 1, a weight like any other; "
            "set them to minus infinity"
        )
    if same(pattern, z.softmax(1).tril()):
        return (
            f"row 0 adds up to {pattern[0].sum():.2f}, not to 1: the mask comes after "
            "the softmax; hide the scores before it"
        )
    if same(pattern, hidden(z.T).T.softmax(1)):
        return "it hides the past and shows the future: hide where s > t"
    if same(pattern, hidden(z).softmax(0)):
        return "columns add up to 1, rows should: the softmax goes over the keys"
    if same(pattern, hidden(z.T).softmax(1)):
        return "the scores are transposed: a row belongs to a query"
    t, s = divmod(pattern.triu(1).abs().argmax().item(), n)
    if pattern[t, s].abs() > 1e-6 and s > t:
        return (
            f"token {t} sees the future: it attends to token {s} with weight "
            f"{pattern[t, s]:.2g}"
        )
    sums = pattern.sum(1)
    t = (sums - 1).abs().argmax().item()
    if abs(sums[t] - 1) > 1e-4:
        return f"row {t} of the pattern adds up to {sums[t]:.2f}, not to 1"
    t, s = divmod((pattern - hidden(z).softmax(1)).abs().argmax().item(), n)
    return (
        f"token {t} attends to token {s} with weight {pattern[t, s]:.2f}, not "
        f"{hidden(z).softmax(1)[t, s]:.2f}"
    )


def problem_of_causal_pattern(causal_pattern):
    (z,) = random_tensors(3, (5, 5))
    answer = causal_pattern(z.clone())
    if problem := problem_of_shapes(answer, pattern=(5, 5)):
        return problem
    if same(answer, hidden(z / math.sqrt(5)).softmax(1)):
        return "they are divided by a root here too; step 3 has done that already"
    return problem_of_pattern(answer, z)


check(problem_of_causal_pattern, causal_pattern)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# `torch.ones(n, n).triu(1)` is 1 above the diagonal, which is where $s > t$, and 0
# elsewhere. With `.bool()` it is a mask: `scores.masked_fill(mask, -torch.inf)`.
#
# </details>

# %% [markdown]
# ## Step 5. Attention
#
# The output at token $t$ is the sum of the values that it sees, each times its weight.
# Put together:
#
# $$ \text{output} = \mathrm{softmax}\!\left( \frac{Q K^\top}{\sqrt{d_k}}
# + \text{mask} \right) V . $$
#
# Fill in `attention` from what you have.


# %%
def attention(Q, K, V):
    """Causal attention. Q, K: (n, d_k), V: (n, d_v).

    Returns the pattern (n, n), a row for each query, and the output (n, d_v).
    """
    # solution
    pattern = causal_pattern(scaled_scores(Q, K))
    return pattern, pattern @ V
    # end solution


# %% tags=["check"]
# The check of step 5.
def problem_of_attention(attention):
    Q, K, V = random_tensors(4, (5, 9), (5, 9), (5, 3))
    answer = attention(Q, K, V)
    if problem := problem_of_shapes(answer, pattern=(5, 5), output=(5, 3)):
        return problem
    pattern, output = answer
    z = Q @ K.T / 3
    if same(pattern, hidden(3 * z).softmax(1)):
        return "the scale is missing: the scores should be divided by the root of d_k"
    if same(pattern, hidden(z / 3).softmax(1)):
        return "the scores are divided by the root of d_k twice: once is enough"
    if same(pattern, hidden(z).softmax(1) / 3):
        return "the scale comes after the softmax: divide the scores, not the weights"
    if same(pattern, hidden(z.T).softmax(1)):
        return "queries and keys are exchanged: a row of the pattern belongs to a query"
    if problem := problem_of_pattern(pattern, z):
        return problem
    if same(output, pattern.T @ V):
        return "the output is made with the pattern transposed: row t weighs the values"
    if not same(output, pattern @ V):
        return "the output is not the sum of the values, each times its weight"
    return None


check(problem_of_attention, attention)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# `causal_pattern` takes the scaled scores. Row $t$ of `pattern @ V` is the sum over $s$
# of `pattern[t, s]` times row $s$ of `V`.
#
# </details>

# %%
pattern, output = attention(Q, K, V)
print("pattern")
print(pattern.numpy().round(3))
print("output")
print(output.numpy().round(3))

# %% [markdown]
# Compare with your paper. Row 0 is 1, 0, 0: the first token sees only itself, so its
# output is its own value, whatever its query. Row 1 has the scores 2 and 0, and the
# weights $e^2 / (e^2 + 1) \approx 0.88$ and $0.12$. Row 2 has the scores 0, 2 and 2,
# and two equal weights. Its output is the mean of the values with these weights.

# %%
# alt: A grid of three rows, the tokens that look, and three columns, the tokens looked
# at, with the weight in each cell. Row 0: all weight on token 0. Row 1: 0.88 on token
# 0, 0.12 on token 1. Row 2: 0.06, 0.47 and 0.47. The three cells above the diagonal
# are empty.
pattern, _ = attention(Q, K, V)
figure, panel = plt.subplots(figsize=(5.2, 3.2), dpi=150)
panel.imshow(pattern.numpy(), cmap="Blues", vmin=0, vmax=1)
for t in range(3):
    for s in range(t + 1):
        ink = "white" if pattern[t, s] > 0.5 else "black"
        panel.text(s, t, f"{pattern[t, s]:.2f}", ha="center", va="center", color=ink)
panel.set_xticks(range(3))
panel.set_yticks(range(3))
panel.set_xlabel("key: the token looked at")
panel.set_ylabel("query: the token that looks")
figure.tight_layout()

# %% [markdown]
# ## A sequence, and the residual stream
#
# Where do queries, keys and values come from? Between the layers of a transformer each
# token is a vector of `D_MODEL` numbers, a row of the **residual stream**. A layer
# reads the stream and *adds* to it.
#
# Our tokens are entries of a dictionary: `a3` says that the letter `a` has the digit 3.
# `a?` has no digit: it asks for it. We give each kind of information columns of its
# own, so that you can see who reads and writes what:
#
# | columns | hold |
# |---|---|
# | `LETTER` | the token's letter: 1 at its number, 0 elsewhere |
# | `DIGIT` | the token's digit, in the same way; all 0 for `?` |
# | `POSITION` | where it stands: 1 at its position, 0 elsewhere |
# | `BEFORE`, `FOUND`, `SEEN` | nothing yet; your three heads will write here |
#
# A vector with a single 1 is called **one-hot**. The product of two one-hot vectors is
# 1 if they are equal, and 0 if not. That is all the trick there is in what follows.

# %%
LETTERS, DIGITS = "abcdefgh", "0123456789"
POSITIONS = 16  # the longest sequence

LETTER, DIGIT, POSITION = slice(0, 8), slice(8, 18), slice(18, 34)
BEFORE, FOUND, SEEN = slice(34, 42), slice(42, 52), slice(52, 60)
D_MODEL = 60


def embed(text):
    """The residual stream (n, D_MODEL) of tokens such as "a3 c7 a?"."""
    words = text.split()
    if not 1 <= len(words) <= POSITIONS:
        raise ValueError(f"give 1 to {POSITIONS} tokens, not {len(words)}")
    stream = torch.zeros(len(words), D_MODEL)
    for t, word in enumerate(words):
        if len(word) != 2 or word[0] not in LETTERS or word[1] not in DIGITS + "?":
            raise ValueError(f"'{word}' is not a letter, a to h, and a digit or ?")
        stream[t, LETTER.start + LETTERS.index(word[0])] = 1
        stream[t, POSITION.start + t] = 1
        if word[1] != "?":
            stream[t, DIGIT.start + int(word[1])] = 1
    return stream


stream = embed("a3 c7 b1 c?")
print("stream:", tuple(stream.shape))
print("token 1, LETTER:", stream[1, LETTER].int().tolist())
print("token 1, DIGIT: ", stream[1, DIGIT].int().tolist())

# %% [markdown]
# A **head** is four matrices. Three of them read the stream $x$, and the fourth says
# where the output is added:
#
# $$ Q = x W_Q, \qquad K = x W_K, \qquad V = x W_V, $$
#
# $$ x \leftarrow x + \text{output} \cdot W_O . $$
#
# $W_Q$ and $W_K$ decide **where** a head looks. $W_V$ and $W_O$ decide **what** it
# takes from there and where it puts that. A matrix to the right of $x$ reads by its
# rows and writes by its columns: `W_V[DIGIT]` are the rows that read the digit.


# %%
def head(stream, W_Q, W_K, W_V, W_O):
    """The pattern of a head (n, n), and what it adds to the stream (n, D_MODEL).

    W_Q, W_K: (D_MODEL, d_k), W_V: (D_MODEL, d_v), W_O: (d_v, D_MODEL)
    """
    pattern, output = attention(stream @ W_Q, stream @ W_K, stream @ W_V)
    return pattern, output @ W_O


# %% tags=["check"]
# Used by the checks of steps 6, 7 and 8: nothing to do here, but run it.
COLUMNS = {
    "LETTER": LETTER,
    "DIGIT": DIGIT,
    "POSITION": POSITION,
    "BEFORE": BEFORE,
    "FOUND": FOUND,
    "SEEN": SEEN,
}


def random_text(seed, n=POSITIONS):
    """Random tokens; the last asks."""
    generator = torch.Generator().manual_seed(seed)
    letters = torch.randint(len(LETTERS), (n,), generator=generator)
    digits = torch.randint(len(DIGITS), (n,), generator=generator)
    words = [LETTERS[a] + DIGITS[b] for a, b in zip(letters, digits)]
    return " ".join([*words[:-1], words[-1][0] + "?"])


def problem_of_matrices(answer):
    """Are these four matrices that fit the stream and each other?"""
    reads, writes = (D_MODEL, None), (None, D_MODEL)
    problem = problem_of_shapes(answer, W_Q=reads, W_K=reads, W_V=reads, W_O=writes)
    if problem:
        return problem
    W_Q, W_K, W_V, W_O = answer
    if W_Q.shape[1] != W_K.shape[1]:
        return (
            f"W_Q has {W_Q.shape[1]} columns and W_K {W_K.shape[1]}: queries and keys "
            "have the same length, d_k"
        )
    if W_V.shape[1] != len(W_O):
        return f"W_V has {W_V.shape[1]} columns and W_O {len(W_O)} rows: d_v is one"
    if not (W_Q.numel() and W_V.numel()):
        return "d_k and d_v are at least 1"
    return None


def scores_of_head(text, W_Q, W_K):
    """The scores that enter the softmax."""
    x = embed(text)
    return (x @ W_Q) @ (x @ W_K).T / math.sqrt(W_Q.shape[1])


def problem_of_strength(found, wanted, name, d_k):
    """Is the score as strong as it should be?"""
    root = math.sqrt(d_k)
    if same(found, wanted):
        return None
    if same(found, wanted / root):
        return (
            f"the score is {name} / {root:.2f}: attention divides by the root of "
            f"d_k = {d_k}, so multiply {name} by it"
        )
    if same(found, wanted * root):
        return f"the score is {name} times the root of d_k: put the root in only once"
    if same(found, wanted**2) or same(found, wanted**2 / root):
        return f"{name} is in W_Q and in W_K; put it into one of them"
    return f"the score is {found:.2f}, not {name} = {wanted:g}"


def problem_of_moving(W_V, W_O, reads, writes):
    """Do W_V and W_O move these columns to those, and nothing else?"""
    moved = W_V @ W_O
    blocks = {
        (a, b): moved[COLUMNS[a], COLUMNS[b]]
        for a in COLUMNS
        for b in COLUMNS
        if moved[COLUMNS[a], COLUMNS[b]].abs().max() > 1e-5
    }
    if not blocks:
        return "nothing is written: W_V times W_O is 0"
    if list(blocks) == [(writes, reads)]:
        return (
            f"it reads {writes} and writes {reads}: rows are read, columns are written"
        )
    for a, b in blocks:
        if b != writes:
            return (
                f"it writes {b}; write {writes} only: a head adds to the stream, so "
                f"what stands in {b} would be mixed with it"
            )
        if a != reads:
            return f"it moves {a} to {writes}; move {reads} only"
    block = blocks[reads, writes]
    if not same(block, torch.eye(len(block))):
        return f"what arrives in {writes} is not {reads} as it was: copy it unchanged"
    return None


# %% [markdown]
# ## Step 6. Copy the token before
#
# Where this head looks depends on positions alone. Choose $W_Q$ and $W_K$ so that the
# score from position $t$ to position $t - 1$, *as it enters the softmax*, is a number
# $\beta$, and every other score is 0. If $\beta$ is large, nearly all weight goes to
# the token before. Remember that `attention` divides by $\sqrt{d_k}$.
#
# Then choose $W_V$ and $W_O$ so that the *letter* of the token that is looked at lands
# in the columns `BEFORE`.
#
# Fill in `previous_token_head`.


# %%
def previous_token_head(beta):
    """W_Q, W_K (D_MODEL, d_k), W_V (D_MODEL, d_v), W_O (d_v, D_MODEL).

    The score from position t to t - 1 is beta, after the division by the root of d_k;
    all others are 0. The letter of the token looked at is added to BEFORE. d_k and d_v
    are up to you.
    """
    # solution
    d_k, d_v = POSITIONS, len(LETTERS)
    W_Q, W_K = torch.zeros(D_MODEL, d_k), torch.zeros(D_MODEL, d_k)
    W_V, W_O = torch.zeros(D_MODEL, d_v), torch.zeros(d_v, D_MODEL)
    shift = torch.ones(POSITIONS - 1).diag(-1)  # row t has its 1 in column t - 1
    W_Q[POSITION] = beta * math.sqrt(d_k) * shift  # t asks for t - 1
    W_K[POSITION] = torch.eye(POSITIONS)  # t says that it is t
    W_V[LETTER] = torch.eye(len(LETTERS))
    W_O[:, BEFORE] = torch.eye(len(LETTERS))
    return W_Q, W_K, W_V, W_O
    # end solution


# %% tags=["check"]
# The check of step 6.
def problem_of_previous_token(previous_token_head):
    beta = 3.0
    answer = previous_token_head(beta)
    if problem := problem_of_matrices(answer):
        return problem
    W_Q, W_K, W_V, W_O = answer
    z = scores_of_head(random_text(0), W_Q, W_K)
    if not same(z, scores_of_head(random_text(1), W_Q, W_K)):
        return (
            "the scores change with the tokens: W_Q and W_K read POSITION only, all "
            "other rows are 0"
        )
    for t in (POSITIONS // 2, *range(1, POSITIONS)):
        s = z[t].argmax().item()
        if z[t, s] <= 1e-5:
            return f"token {t} gives a positive score to no token"
        if s == t:
            return f"token {t} looks at itself, not at token {t - 1}"
        if s > t:
            return f"token {t} looks at token {s}, which the mask hides from it"
        if s != t - 1:
            return f"token {t} looks {t - s} back, not 1 back"
        if problem := problem_of_strength(z[t, s], beta, "beta", W_Q.shape[1]):
            return problem
    others = (z - beta * torch.ones(POSITIONS - 1).diag(-1)).tril().abs()
    if others.max() > 1e-4:
        t, s = divmod(others.argmax().item(), POSITIONS)
        return f"token {t} also gives the score {z[t, s]:.2f} to token {s}, not 0"
    return problem_of_moving(W_V, W_O, "LETTER", "BEFORE")


check(problem_of_previous_token, previous_token_head)

# %% [markdown]
# <details>
# <summary>Hint: where it looks</summary>
#
# Take `d_k = POSITIONS`. Let the key at position $s$ be 1 at number $s$ and 0
# elsewhere: `W_K[POSITION]` is the identity matrix, `torch.eye(POSITIONS)`. The query
# at position $t$ should have one number that is not 0, at $t - 1$. Row $t$ of
# `W_Q[POSITION]` is that query. `torch.ones(POSITIONS - 1).diag(-1)` has ones just
# below the diagonal.
#
# </details>
#
# <details>
# <summary>Hint: what it moves</summary>
#
# Take `d_v = len(LETTERS)`. `W_V[LETTER]` reads the letter, and `W_O[:, BEFORE]` writes
# it. Both are identity matrices; all else is 0.
#
# </details>
#
# How strong is strong enough? Here is the weight of the last of seven tokens on the one
# before it, for several $\beta$, and what it has in `BEFORE`. The right letter is `f`.

# %%
text = "a1 b1 c1 d1 e1 f1 g1"
for beta in (0.0, 1.0, 2.0, 4.0, 8.0):
    pattern, added = head(embed(text), *previous_token_head(beta))
    letters = ", ".join(
        f"{letter} {share:.2f}" for letter, share in zip(LETTERS, added[-1, BEFORE])
    )
    print(f"beta {beta:.0f}: weight {pattern[-1, -2]:.3f};  {letters}")

# %% [markdown]
# Attention never picks one token: it always mixes. A large score makes the mixture as
# pure as you like. What about the first token, which has none before it? It sees only
# itself and copies itself, whatever the scores.

# %% [markdown]
# ## Step 7. Look it up
#
# Now the dictionary. In `a3 c7 b1 c?` the last token wants the digit that stands with
# the earlier `c`. This time nothing depends on positions. Choose $W_Q$ and $W_K$ so
# that the score is $\alpha$ if both tokens have the same *letter*, and 0 if not. Move
# the *digit* of the token that is looked at to `FOUND`.
#
# Fill in `dictionary_head`.


# %%
def dictionary_head(alpha):
    """W_Q, W_K (D_MODEL, d_k), W_V (D_MODEL, d_v), W_O (d_v, D_MODEL).

    The score is alpha between tokens with the same letter, after the division by the
    root of d_k, and 0 between others. The digit of the token looked at is added to
    FOUND.
    """
    # solution
    d_k, d_v = len(LETTERS), len(DIGITS)
    W_Q, W_K = torch.zeros(D_MODEL, d_k), torch.zeros(D_MODEL, d_k)
    W_V, W_O = torch.zeros(D_MODEL, d_v), torch.zeros(d_v, D_MODEL)
    W_Q[LETTER] = alpha * math.sqrt(d_k) * torch.eye(d_k)
    W_K[LETTER] = torch.eye(d_k)
    W_V[DIGIT] = torch.eye(d_v)
    W_O[:, FOUND] = torch.eye(d_v)
    return W_Q, W_K, W_V, W_O
    # end solution


# %% tags=["check"]
# The check of step 7.
def problem_of_dictionary(dictionary_head):
    alpha = 3.0
    answer = dictionary_head(alpha)
    if problem := problem_of_matrices(answer):
        return problem
    W_Q, W_K, W_V, W_O = answer
    text = random_text(2)
    z, x = scores_of_head(text, W_Q, W_K), embed(text)
    match = x[:, LETTER] @ x[:, LETTER].T
    if not same(z, alpha * match):
        if not z.abs().max() > 1e-5:
            return "all scores are 0: every token gets the same weight"
        if same(z, z.max() * x[:, DIGIT] @ x[:, DIGIT].T):
            return (
                "it compares digits; the token that asks has none, so compare letters"
            )
        if same(z, z[0, 0] * match):
            return problem_of_strength(z[0, 0], alpha, "alpha", W_Q.shape[1])
        words = text.split()
        t, s = divmod((z - alpha * match).abs().argmax().item(), len(words))
        return (
            f"token {t}, {words[t]}, gives token {s}, {words[s]}, the score "
            f"{z[t, s]:.2f}, not {alpha * match[t, s]:g}: query and key both read "
            "LETTER only"
        )
    return problem_of_moving(W_V, W_O, "DIGIT", "FOUND")


check(problem_of_dictionary, dictionary_head)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# As in step 6, with other rows, and nothing to shift: query and key are both the
# letter, one of them times $\alpha \sqrt{d_k}$. Here $d_k$ is 8, the number of letters,
# and $d_v$ is 10, the number of digits.
#
# </details>
#
# Use it. Nothing below changes a weight: the dictionary is in the context.

# %%
for text in ("a3 c7 b1 c?", "a3 c7 b1 b?", "h9 e0 c2 g4 a3 e?", "a3 c7 b1 d?"):
    pattern, added = head(embed(text), *dictionary_head(alpha=12.0))
    found = added[-1, FOUND]
    best = DIGITS[found.argmax()] if found.max() > 0.1 else "nothing"
    print(f"{text:18} finds {best:8} with strength {found.max():.2f}")

# %% [markdown]
# Why only 0.50? The token that asks has the same letter as itself, so it matches, too.
# Half of its weight stays with it, where there is no digit to take. No wrong digit is
# added; the right one is only fainter. (Exercise 4 mends this.) And `d`, which is not
# in the dictionary, finds only itself, and so nothing.

# %% [markdown]
# ## Step 8. Average
#
# The third head looks everywhere alike. If all scores are equal, the token at $t$ gives
# each of the $t + 1$ tokens that it sees the weight $1 / (t + 1)$: the output is the
# plain mean of their values. Let it move *letters* to `SEEN`.
#
# Fill in `averaging_head`.


# %%
def averaging_head():
    """W_Q, W_K (D_MODEL, d_k), W_V (D_MODEL, d_v), W_O (d_v, D_MODEL).

    All scores are equal. The mean of all letters so far is added to SEEN.
    """
    # solution
    W_Q, W_K = torch.zeros(D_MODEL, 1), torch.zeros(D_MODEL, 1)
    W_V, W_O = torch.zeros(D_MODEL, len(LETTERS)), torch.zeros(len(LETTERS), D_MODEL)
    W_V[LETTER] = torch.eye(len(LETTERS))
    W_O[:, SEEN] = torch.eye(len(LETTERS))
    return W_Q, W_K, W_V, W_O
    # end solution


# %% tags=["check"]
# The check of step 8.
def problem_of_averaging(averaging_head):
    answer = averaging_head()
    if problem := problem_of_matrices(answer):
        return problem
    W_Q, W_K, W_V, W_O = answer
    text = random_text(3)
    z = scores_of_head(text, W_Q, W_K)
    spread = z.max(1).values - z.min(1).values
    if spread.max() > 1e-4:
        t = spread.argmax().item()
        return (
            f"the scores of token {t} are not equal, from {z[t].min():.2f} to "
            f"{z[t].max():.2f}, so its weights are not either"
        )
    return problem_of_moving(W_V, W_O, "LETTER", "SEEN")


check(problem_of_averaging, averaging_head)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# If the queries are 0, every score is 0, whatever the keys. $W_V$ and $W_O$ are as in
# step 6, with another place to write to.
#
# </details>
#
# Watch the share of `a` as the sequence goes on:

# %%
text = "a1 b1 a1 a1 c1 b1"
_, added = head(embed(text), *averaging_head())
share = added[:, SEEN.start + LETTERS.index("a")]
print("token       " + "".join(f"{word:>6}" for word in text.split()))
print("share of a  " + "".join(f"{part:6.2f}" for part in share))
counts = (share * torch.arange(1, len(share) + 1)).tolist()
print("count of a  " + "".join(f"{count:6.0f}" for count in counts))

# %% [markdown]
# A head can average, but not add up, since its weights always make 1. The count is the
# share times the number of tokens seen, and we multiplied by that outside of the head.

# %% [markdown]
# ## Step 9. Heads side by side
#
# A layer has several heads. All of them read the stream as it came into the layer, and
# each *adds* to it what it has found:
#
# $$ x \leftarrow x + \sum_h \text{output}_h W_{O,h} . $$
#
# No head waits for another, and the order does not matter. Fill in `layer`.


# %%
def layer(stream, heads):
    """The residual stream (n, D_MODEL) after heads that work side by side.

    heads: a list; each head is its four matrices W_Q, W_K, W_V, W_O
    """
    # solution
    added = [head(stream, *matrices)[1] for matrices in heads]
    return stream + sum(added)
    # end solution


# %% tags=["check"]
# The check of step 9.
def random_heads(n_heads, seed, d_head=4):
    """Heads with small random weights."""
    reads, writes = (D_MODEL, d_head), (d_head, D_MODEL)
    tensors = random_tensors(seed, *n_heads * [reads, reads, reads, writes])
    return [tuple(0.3 * w for w in tensors[4 * h : 4 * h + 4]) for h in range(n_heads)]


def problem_of_layer(layer):
    stream, heads = embed(random_text(4)), random_heads(2, seed=5)
    before = stream.clone()
    answer = layer(stream, heads)
    if problem := problem_of_shapes(answer, stream=(POSITIONS, D_MODEL)):
        return problem
    stream_changed, stream = not same(stream, before), before
    (_, first), (_, second) = (head(stream, *matrices) for matrices in heads)
    after_first = stream + first
    if same(answer, after_first + head(after_first, *heads[1])[1]):
        return (
            "the second head reads what the first has written; side by side, both read "
            "the stream as it came in"
        )
    if stream_changed:
        return "it changes the stream that it was given; return a new one instead"
    for wrong, why in (
        (first + second, "the stream is lost: heads add to it"),
        (2 * stream + first + second, "the stream is there twice; add it once"),
        (stream + (first + second) / 2, "that is the mean of the heads; add them up"),
        ((first + second) / 2, "that is the mean of the heads, without the stream"),
        (stream + first, "only the first head is there"),
        (stream + second, "only the last head is there"),
        (stream, "no head has added anything"),
    ):
        if same(answer, wrong):
            return why
    if not same(answer, stream + first + second):
        return "the result is not the stream plus what each head adds"
    three = random_heads(3, seed=6)
    expected = stream + sum(head(stream, *matrices)[1] for matrices in three)
    if not same(layer(stream, three), expected):
        return "with two heads it is right, with three it is not"
    return None


check(problem_of_layer, layer)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# `head(stream, *matrices)` returns two things; the second is what the head adds. Add
# all of these to the stream, at the end and not in the loop.
#
# </details>
#
# Two heads first, those that copy and look up, and then all three:


# %%
def my_heads():
    return [previous_token_head(12.0), dictionary_head(12.0), averaging_head()]


def table(text, stream):
    """Print what the heads have left on each token, its shares above a fifth."""
    print("token  BEFORE          FOUND           SEEN")
    for word, row in zip(text.split(), stream):
        cells = []
        for columns, symbols in ((BEFORE, LETTERS), (FOUND, DIGITS), (SEEN, LETTERS)):
            shares = zip(symbols, row[columns])
            cells.append(" ".join(f"{a} {p:.2f}" for a, p in shares if p > 0.2))
        print(f"{word:7}{cells[0]:16}{cells[1]:16}{cells[2]}")


text = "a3 c7 a3 b1 c?"
print("two heads")
table(text, layer(embed(text), my_heads()[:2]))
print()
print("three heads")
table(text, layer(embed(text), my_heads()))

# %% [markdown]
# The first two columns have not changed. Each head has written columns of its own, so
# the third did not disturb the others. Letters, digits and positions still stand where
# they were, too, for the next layer to read.

# %% [markdown]
# ## Step 10. Is it what the library does?
#
# PyTorch has all this in one function, `F.scaled_dot_product_attention(Q, K, V)`. It
# returns the output without the pattern. By default it divides by $\sqrt{d_k}$ and
# hides nothing.
#
# How far is an attention of ours from it? Fill in `difference_from_library`: the
# largest difference between two outputs, over all their numbers, without its sign.


# %%
def difference_from_library(attention, Q, K, V):
    """The largest difference from PyTorch's causal attention, a number.

    attention: a function like yours in step 5. Q, K: (n, d_k), V: (n, d_v)
    """
    # solution
    _, output = attention(Q, K, V)
    library = F.scaled_dot_product_attention(Q, K, V, is_causal=True)
    return (output - library).abs().max().item()
    # end solution


# %% tags=["check"]
# The check of step 10.
def problem_of_difference(difference_from_library):
    Q, K, V = random_tensors(7, (6, 9), (6, 9), (6, 3))
    pattern = hidden(Q @ K.T / 3).softmax(1)
    output = pattern @ V

    def measured(changed):
        return float(difference_from_library(lambda *_: (pattern, changed), Q, K, V))

    if measured(output) < 1e-5 and measured(output + 1) < 1e-5:
        return "it gives 0 even for an output in which all numbers are wrong"
    for plain, why in (
        (Q @ K.T / 3, "the library looks at the future there: set is_causal=True"),
        (hidden(Q @ K.T), "the library divides by the root of d_k, unless told not to"),
        (hidden(Q @ K.T / 9), "there the scores are divided by the root of d_k twice"),
        (hidden(K @ Q.T / 3), "queries and keys are exchanged in the call"),
    ):
        if measured(plain.softmax(1) @ V) < 1e-5:
            return why
    exact = measured(output)
    if math.isnan(exact) or exact > 1e-5:
        return (
            f"it gives {exact:.2g} for an attention that is equal to the library's, "
            "causal and scaled: look at how you call it"
        )
    higher, lower = output.clone(), output.clone()
    higher[2, 1] += 0.25
    higher[4, 0] += 0.1
    lower[2, 1] -= 0.25
    found = measured(higher), measured(lower)
    if abs(found[0] - 0.25 / 18) < 1e-4 or abs(found[0] - 0.35 / 18) < 1e-4:
        return "it gives the mean of the differences, not the largest"
    if abs(found[0] - 0.35) < 1e-4:
        return "it adds the differences up; take the largest"
    if abs(found[0] - 0.25) < 1e-4 and abs(found[1] - 0.25) > 1e-4:
        return (
            f"if ours is 0.25 too low, it gives {found[1]:.2g}: take the size of a "
            "difference, without its sign, before you take the largest"
        )
    if max(abs(value - 0.25) for value in found) > 1e-4:
        return f"if one number is off by 0.25, it gives {found[0]:.2g}"
    return None


check(problem_of_difference, difference_from_library)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# `F.scaled_dot_product_attention(Q, K, V, is_causal=True)` is the output of the
# library; ours is the second of the two things that `attention` returns. Then
# `.abs().max()`.
#
# </details>

# %%
print("tokens   d_k   d_v   largest difference below 1e-6")
for n, d_k, d_v in ((1, 4, 4), (3, 4, 2), (16, 8, 10), (64, 32, 32), (256, 64, 64)):
    Q_n, K_n, V_n = random_tensors(n, (n, d_k), (n, d_k), (n, d_v))
    difference = difference_from_library(attention, Q_n, K_n, V_n)
    print(f"{n:6}   {d_k:3}   {d_v:3}   {'yes' if difference < 1e-6 else difference}")

# %% [markdown]
# Libraries also compute all heads of a layer in one call. They keep the outputs of the
# heads side by side, as one long vector for each token, and multiply that by one tall
# matrix $W_O$. It is the same: the rows of the tall matrix are the $W_O$ of the heads,
# one below the other, so the product is the sum in step 9.


# %%
def layer_in_one_call(stream, heads):
    """The layer as libraries compute it. All heads have the same d_k and d_v."""
    W_Q, W_K, W_V, W_O = map(torch.stack, zip(*heads))  # (n_heads, D_MODEL, d_head)
    outputs = F.scaled_dot_product_attention(
        stream @ W_Q, stream @ W_K, stream @ W_V, is_causal=True
    )  # (n_heads, n, d_head)
    together = outputs.transpose(0, 1).flatten(1)  # (n, n_heads * d_head)
    return stream + together @ W_O.flatten(0, 1)


stream, heads = embed("a3 c7 b1 c?"), random_heads(n_heads=3, seed=0)
difference = (layer(stream, heads) - layer_in_one_call(stream, heads)).abs().max()
print("three random heads, largest difference below 1e-6:", bool(difference < 1e-6))

# %% [markdown]
# ## See where they look
#
# The patterns of your heads, on one sequence. Rows look, columns are looked at.

# %%
# alt: Four triangular attention maps over the tokens a3, c7, a3, b1, h2, c? and b?.
# Before, beta 12: each row has all weight on the cell left of the diagonal, but the
# first, on itself. Before, beta 2: that cell is the darkest of its row, and the rest is
# spread evenly over the other tokens seen. Dictionary: c? and b? each have half of
# their weight on the earlier token with their letter and half on themselves; so has the
# second a3; other tokens look at themselves. Average: every row is even, and fainter
# the longer it is.
text = "a3 c7 a3 b1 h2 c? b?"
names = ("before, beta = 12", "before, beta = 2", "dictionary", "average")
matrices = (
    previous_token_head(12.0),
    previous_token_head(2.0),
    dictionary_head(12.0),
    averaging_head(),
)
patterns = [head(embed(text), *four)[0] for four in matrices]
figure, panels = plt.subplots(2, 2, figsize=(5.2, 5.4), dpi=150)
for panel, pattern, name in zip(panels.flat, patterns, names):
    panel.imshow(pattern.numpy(), cmap="Blues", vmin=0, vmax=1)
    panel.set_title(name, fontsize=10)
    panel.set_xticks(range(len(pattern)), text.split(), fontsize=9)
    panel.set_yticks(range(len(pattern)), text.split(), fontsize=9)
figure.tight_layout()

# %% [markdown]
# A transformer that is trained finds such heads by itself, and rarely as clean. What is
# missing here is depth: heads of a second layer that read what those of the first have
# written. Two of them make the head that copies what came after, and that is the next
# lab, *Build an induction head*.

# %% [markdown]
# ## Go on
#
# **1.** Take the softmax first, then set the future to 0, then divide each row by its
# sum. Why is this the same as the mask of step 4? When would it go wrong?
#
# <details>
# <summary>Answer</summary>
#
# Row $t$ of the full softmax is $e^{z_s} / \sum_r e^{z_r}$. To divide the visible
# weights by their sum cancels the common denominator and leaves $e^{z_s}$ over the sum
# of the visible ones. It goes wrong where a hidden score is much larger than all
# visible ones: their weights are then so small that the computer rounds them to 0, and
# it divides 0 by 0.
#
# </details>
#
# **2.** Put `a3`, `c7` and `b1` into another order, and leave `c?` at the end. For the
# last token, which of the three heads notices?
#
# <details>
# <summary>Answer</summary>
#
# Only the one that reads `POSITION`. A head whose queries and keys hold no positions
# sees a heap of tokens, not a sequence. What is found and what is averaged stays the
# same, but for rounding.
#
# </details>
#
# **3.** What does the dictionary find for the last token of `a3 a5 a?`, and of
# `a3 a3 a5 a?`? And what if you put a minus before its $W_Q$?
#
# <details>
# <summary>Answer</summary>
#
# All tokens with the letter share the weight, the one that asks too: a third each for
# 3 and 5; then a half for 3 and a quarter for 5. Where a Python dictionary keeps the
# last entry, this one takes a vote. With the minus it looks at all tokens *but* those
# with its letter, and averages their digits. Where all tokens have its letter, as in
# these two, all scores are equal, and nothing changes.
#
# </details>
#
# **4.** Let the dictionary ignore tokens that have no digit, so that `c?` finds 7 with
# strength 1. Change $W_Q$ and $W_K$ only. What does `d?` find then, in
# `a3 c7 b1 d?`?
#
# <details>
# <summary>Answer</summary>
#
# Give queries and keys one number more. In the query it is always the same: each token
# has exactly one 1 in `POSITION`, so let these rows write it. In the key it is 1 if the
# token has a digit.
#
# ```python
# def careful_dictionary_head(alpha):
#     W_Q, W_K, W_V, W_O = dictionary_head(alpha)
#     d_k = W_Q.shape[1] + 1
#     W_Q = W_Q * math.sqrt(d_k / (d_k - 1))  # the root has changed
#     always, has_digit = torch.zeros(D_MODEL, 1), torch.zeros(D_MODEL, 1)
#     always[POSITION] = alpha * math.sqrt(d_k)
#     has_digit[DIGIT] = 1
#     return torch.cat([W_Q, always], 1), torch.cat([W_K, has_digit], 1), W_V, W_O
# ```
#
# A match with a digit now has the score $2\alpha$, a match without or a digit without
# a match $\alpha$. So `c?` finds 7 with nearly all its weight. But `d?`, which nobody
# matches, now shares its weight among all tokens with a digit *and itself*: it finds a
# quarter each of 3, 7 and 1. To find nothing, it takes something to look at that says
# nothing.
#
# </details>
#
# **5.** Let letters and digits be tokens of their own, `a 3 c 7 b 1 c`. Why can no
# single head do the look-up by content now?
#
# <details>
# <summary>Answer</summary>
#
# The last `c` wants the token `7`. But `7` does not know that a `c` stood before it:
# its key is made of its own row alone. First another head has to write that down, the
# one of step 6, in an earlier layer. Then the look-up finds it in `BEFORE`.
#
# </details>
