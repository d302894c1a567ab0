# %% [markdown]
# # Build an induction head
#
# In the sequence `g k r ... g`, what comes next? If the past repeats, it is `k`. An
# **induction head** makes this guess: it attends from a token to the token that
# *followed* the same token earlier, and copies it. Here you set the weights of one by
# hand, without training. It has two attention layers; the last step shows what one
# does.
#
# Each step has a short explanation, a function to fill in, a check, and a hint to
# unfold. Run the cells from top to bottom. You need to know what a matrix product and a
# softmax are, and a little PyTorch. No GPU is needed; every cell runs in seconds.
#
# Source: [Olsson et al. (2022)](https://arxiv.org/abs/2209.11895) for what an induction
# head is and for the score in step 6. The weights are ours.

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

print("Python", sys.version.split()[0])
print("torch", torch.__version__.split("+")[0])
print("matplotlib", matplotlib.__version__)

# %% [markdown]
# ## The task and the residual stream
#
# A sequence is a start token, then $L$ different letters in random order, then the same
# letters again. In the first copy the next letter cannot be known. In the second it
# can: it is the one that followed the first time.
#
# Between layers, each token is a vector of `D_MODEL` numbers: a row of the **residual
# stream**. A layer reads the stream and *adds* to it. We give three kinds of
# information a **subspace** each, that is, columns of their own:
#
# | columns | hold |
# |---|---|
# | `CONTENT` | which token it is: 1 at its number, 0 elsewhere |
# | `POSITION` | where it stands: 1 at its position, 0 elsewhere |
# | `BUFFER` | nothing yet; the first layer writes here |

# %%
LETTERS = "abcdefghijklmnopqrstuvwxyz"
START = len(LETTERS)  # the number of the start token
VOCABULARY = len(LETTERS) + 1
POSITIONS = 64  # the longest sequence

CONTENT = slice(0, VOCABULARY)
POSITION = slice(VOCABULARY, VOCABULARY + POSITIONS)
BUFFER = slice(VOCABULARY + POSITIONS, 2 * VOCABULARY + POSITIONS)
D_MODEL = 2 * VOCABULARY + POSITIONS


def letters_twice(length, seed):
    """START, then `length` different letters, then the same again: (2 * length + 1,)"""
    generator = torch.Generator().manual_seed(seed)
    letters = torch.randperm(len(LETTERS), generator=generator)[:length]
    return torch.cat([torch.tensor([START]), letters, letters])


def embed(tokens):
    """The residual stream before the first layer: (n, D_MODEL)"""
    n = torch.arange(len(tokens))
    stream = torch.zeros(len(tokens), D_MODEL)
    stream[n, CONTENT.start + tokens] = 1
    stream[n, POSITION.start + n] = 1
    return stream


def spell(tokens):
    return " ".join("<start>" if t == START else LETTERS[t] for t in tokens)


print(spell(letters_twice(length=6, seed=0)))
print("stream:", tuple(embed(letters_twice(length=6, seed=0)).shape))


# %% tags=["check"]
# Used by all checks: nothing to do here, but run it.
# include: _checks.py


def problem_of_shapes(answer, **shapes):
    """Is the answer these tensors, in this order? None in a shape allows any size."""
    names = " and ".join(shapes)
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
        if tensor.isnan().any():
            row = tensor.isnan().nonzero()[0][0].item()
            return f"{name} has NaN, first in row {row}"
    return None


def same(a, b):
    return torch.allclose(a.float(), b.float(), atol=1e-4)


# %% [markdown]
# ## Step 1. Attention
#
# An attention **head** turns each token's row into a **query**, a **key** and a
# **value**: $Q = x W_Q$, $K = x W_K$, $V = x W_V$. The **logit** from token $t$ to
# token $s$ is the product of the query at $t$ with the key at $s$. A softmax turns the
# logits of $t$ into weights that add up to 1: one row of the attention **pattern**. The
# output at $t$ is the sum of the values, each times its weight. It is **causal**: $t$
# sees itself and what came before, nothing later.
#
# Many networks divide the logits by $\sqrt{d}$. We set them by hand and leave them as
# they are.
#
# Fill in `attention`.


# %%
def attention(Q, K, V):
    """Causal attention. Q, K: (n, d_head), V: (n, d_value).

    Returns the pattern (n, n), a row for each query, and the output (n, d_value).
    """
    # solution
    n = len(Q)
    logits = Q @ K.T
    future = torch.ones(n, n).triu(1).bool()
    pattern = logits.masked_fill(future, -torch.inf).softmax(-1)
    return pattern, pattern @ V
    # end solution


# %% tags=["check"]
# The check of step 1.
def problem_of_attention(attention):
    generator = torch.Generator().manual_seed(0)
    Q, K, V = (torch.randn(5, d, generator=generator) for d in (4, 4, 3))
    answer = attention(Q, K, V)
    problem = problem_of_shapes(answer, pattern=(5, 5), output=(5, 3))
    if problem and "NaN" in problem:
        return problem + ": that token sees nothing at all, but it should see itself"
    if problem:
        return problem
    pattern, output = answer
    t, s = divmod(pattern.triu(1).abs().argmax().item(), 5)
    if pattern[t, s].abs() > 1e-6 and s > t:
        weight = f"{pattern[t, s]:.2f}"
        return (
            f"token {t} sees the future: it attends to token {s} with weight {weight}"
        )
    sums = pattern.sum(1)
    if not same(sums, torch.ones(5)):
        if same(pattern.sum(0), torch.ones(5)):
            return "columns add up to 1, rows should: the softmax goes over the keys"
        t = (sums - 1).abs().argmax().item()
        return (
            f"row {t} of the pattern adds up to {sums[t]:.2f}, not to 1: first hide "
            "the future, then take the softmax over the last dimension"
        )
    seen = torch.ones(5, 5).tril().log()  # 0 where it sees, minus infinity elsewhere
    expected = (Q @ K.T + seen).softmax(1)
    if same(pattern, (Q @ K.T / math.sqrt(4) + seen).softmax(1)):
        return "the logits are divided by the root of d_head; leave them as they are"
    if same(pattern, (K @ Q.T + seen).softmax(1)):
        return "queries and keys are exchanged: a row of the pattern belongs to a query"
    if not same(pattern, expected):
        t, s = divmod((pattern - expected).abs().argmax().item(), 5)
        return (
            f"token {t} attends to token {s} with weight {pattern[t, s]:.2f}, not "
            f"{expected[t, s]:.2f}: the logits should be the products of query and key"
        )
    if not same(output, pattern @ V):
        return "the output is not the sum of the values, each times its weight"
    return None


check(problem_of_attention, attention)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# `Q @ K.T` holds all logits: row $t$, column $s$. Set those with $s > t$ to minus
# infinity (`masked_fill`), and take the softmax over the last dimension.
#
# </details>

# %% [markdown]
# ## Step 2. The previous-token head
#
# The first layer should attend from each token to the one before it. That depends on
# positions alone. Choose $W_Q$ and $W_K$ so that the logit from position $t$ to
# position $t - 1$ is a number $\beta$, and every other logit is 0. If $\beta$ is large,
# the softmax puts nearly all weight on the token before.
#
# Fill in `previous_token_weights`.


# %%
def previous_token_weights(beta):
    """W_Q and W_K, both (D_MODEL, d_head); d_head is up to you.

    The logit from position t to t - 1 is beta, all others are 0.
    """
    # solution
    W_Q = torch.zeros(D_MODEL, POSITIONS)
    W_K = torch.zeros(D_MODEL, POSITIONS)
    W_Q[POSITION] = beta * torch.ones(POSITIONS - 1).diag(-1)  # t asks for t - 1
    W_K[POSITION] = torch.eye(POSITIONS)  # t says that it is t
    return W_Q, W_K
    # end solution


# %% tags=["check"]
# The check of step 2, and of step 7.
def problem_of_looking_back(answer, distance, beta):
    """Does each token give the logit beta to the one `distance` before, 0 to others?"""
    if problem := problem_of_shapes(answer, W_Q=(D_MODEL, None), W_K=(D_MODEL, None)):
        return problem
    W_Q, W_K = answer
    if W_Q.shape[1] != W_K.shape[1]:
        return f"W_Q has {W_Q.shape[1]} columns and W_K {W_K.shape[1]}: d_head is one"

    def logits_of(seed):
        generator = torch.Generator().manual_seed(seed)
        tokens = torch.randint(VOCABULARY, (POSITIONS,), generator=generator)
        return (embed(tokens) @ W_Q) @ (embed(tokens) @ W_K).T

    logits = logits_of(0)
    if not same(logits, logits_of(1)):
        return "the logits change with the tokens: read POSITION only, not CONTENT"
    for t in (POSITIONS // 2, *range(distance, POSITIONS)):
        s = logits[t].argmax().item()
        if logits[t, s] <= 0:
            return f"token {t} gives a positive logit to no token"
        if s == t != t - distance:
            return f"token {t} looks at itself, not at token {t - distance}"
        if s > t:
            return (
                f"token {t} looks at token {s}, which is in the future: it sees nothing"
            )
        if s != t - distance:
            return f"token {t} looks {t - s} back, not {distance} back"
        if same(logits[t, s], torch.tensor(beta**2)):
            return (
                f"the logit is beta squared: put beta = {beta:g} into W_Q or W_K alone"
            )
        if not same(logits[t, s], torch.tensor(beta)):
            return (
                f"the logit from {t} to {s} is {logits[t, s]:.2f}, not beta = {beta:g}"
            )
    expected = beta * torch.ones(POSITIONS - distance).diag(-distance)
    wrong = (logits - expected).tril().abs()
    if wrong.max() > 1e-4:
        t, s = divmod(wrong.argmax().item(), POSITIONS)
        return f"token {t} also gives the logit {logits[t, s]:.2f} to token {s}, not 0"
    return None


def problem_of_previous_token(weights):
    return problem_of_looking_back(weights(3.0), distance=1, beta=3.0)


check(problem_of_previous_token, previous_token_weights)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# Take `d_head = POSITIONS`. Let the key at position $s$ be 1 at number $s$ and 0
# elsewhere: `W_K[POSITION]` is the identity matrix. The query at position $t$ should be
# $\beta$ at number $t - 1$. Row $t$ of `W_Q[POSITION]` is that query.
#
# </details>
#
# How large must $\beta$ be? At position $t$ there are $t$ other tokens to see, with
# logit 0. So the weight on the previous token is $y = e^\beta / (e^\beta + t)$: the
# longer the sequence, the larger $\beta$ has to be.

# %%
x = embed(letters_twice(length=26, seed=0))
t = len(x) - 1
print(f"weight on the token before, at position {t}")
print("beta   measured   formula")
for beta in (1.0, 4.0, 8.0, 12.0):
    W_Q, W_K = previous_token_weights(beta)
    pattern, _ = attention(x @ W_Q, x @ W_K, x)
    formula = math.exp(beta) / (math.exp(beta) + t)
    print(f"{beta:4.0f}   {pattern[t, t - 1]:8.4f}   {formula:7.4f}")

# %% [markdown]
# ## Step 3. Write the previous token into the buffer
#
# The pattern says where a head looks. What it does with what it finds there is a second
# matrix, $W_{OV}$: it is $W_V$ times the output matrix $W_O$. The head adds `pattern @
# (x @ W_OV)` to the stream.
#
# Choose $W_{OV}$ so that the *content* of the token that is looked at lands in the
# *buffer*. Then each token knows which token came before it.
#
# Fill in `copy_to_buffer`.


# %%
def copy_to_buffer():
    """W_OV (D_MODEL, D_MODEL): reads CONTENT, writes BUFFER."""
    # solution
    W_OV = torch.zeros(D_MODEL, D_MODEL)
    W_OV[CONTENT, BUFFER] = torch.eye(VOCABULARY)
    return W_OV
    # end solution


# %% tags=["check"]
# The check of step 3.
SUBSPACES = {"CONTENT": CONTENT, "POSITION": POSITION, "BUFFER": BUFFER}


def problem_of_copy_to_buffer(copy_to_buffer):
    W_OV = copy_to_buffer()
    if problem := problem_of_shapes(W_OV, W_OV=(D_MODEL, D_MODEL)):
        return problem
    blocks = {
        (reads, writes): W_OV[SUBSPACES[reads], SUBSPACES[writes]]
        for reads in SUBSPACES
        for writes in SUBSPACES
    }
    block = blocks["CONTENT", "BUFFER"]
    if not block.any() and blocks["BUFFER", "CONTENT"].any():
        return "it reads BUFFER and writes CONTENT: rows are read, columns are written"
    for (reads, writes), other in blocks.items():
        if other.any() and writes != "BUFFER":
            return (
                f"it writes {writes}: the head adds to the stream, so what a token "
                "holds there would be mixed with what it looks at"
            )
        if other.any() and reads != "CONTENT":
            return f"it copies {reads} into the buffer; copy CONTENT only"
    if not block.any():
        return "the buffer stays empty: W_OV copies nothing"
    if not same(block, torch.eye(VOCABULARY)):
        return "the buffer gets something else than the content of the token looked at"
    return None


check(problem_of_copy_to_buffer, copy_to_buffer)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# `x @ W_OV` reads by rows and writes by columns: the block `W_OV[CONTENT, BUFFER]` maps
# content to buffer. Which matrix copies without change? All other blocks are 0.
#
# </details>
#
# The three pieces make the first layer.


# %%
def layer_1(stream, beta):
    """Write what came before each token into its buffer: stream and pattern."""
    W_Q, W_K = previous_token_weights(beta)
    pattern, output = attention(stream @ W_Q, stream @ W_K, stream @ copy_to_buffer())
    return stream + output, pattern


tokens = letters_twice(length=6, seed=0)
stream, _ = layer_1(embed(tokens), beta=12.0)
print("token: ", spell(tokens))
print("buffer:", spell(stream[:, BUFFER].argmax(1)))

# %% [markdown]
# ## Step 4. The matching head
#
# Now the second layer. A token wants the token that *followed* the same token earlier.
# That one has a mark: its buffer holds the token that asks. So the **query** is the
# content, the **key** is the buffer, and no position is needed. That the second head
# reads what the first one wrote is called **K-composition**: it comes in through the
# key.
#
# Choose $W_Q$ and $W_K$ so that a full match has the logit $\alpha$.
#
# Fill in `matching_weights`.


# %%
def matching_weights(alpha):
    """W_Q and W_K, both (D_MODEL, d_head).

    The logit is alpha if the content of the query's token is in the buffer of the key's
    token, and 0 if not.
    """
    # solution
    W_Q = torch.zeros(D_MODEL, VOCABULARY)
    W_K = torch.zeros(D_MODEL, VOCABULARY)
    W_Q[CONTENT] = alpha * torch.eye(VOCABULARY)
    W_K[BUFFER] = torch.eye(VOCABULARY)
    return W_Q, W_K
    # end solution


# %% tags=["check"]
# The check of step 4.
def perfect_stream(tokens):
    """The stream after a first layer that makes no mistake."""
    stream = embed(tokens)
    stream[1:, BUFFER] = stream[:-1, CONTENT]
    return stream


def problem_of_matching(weights):
    alpha = 3.0
    answer = weights(alpha)
    if problem := problem_of_shapes(answer, W_Q=(D_MODEL, None), W_K=(D_MODEL, None)):
        return problem
    W_Q, W_K = answer
    if W_Q.shape[1] != W_K.shape[1]:
        return f"W_Q has {W_Q.shape[1]} columns and W_K {W_K.shape[1]}: d_head is one"
    stream = perfect_stream(letters_twice(length=5, seed=1))
    content, buffer = stream[:, CONTENT], stream[:, BUFFER]
    logits = (stream @ W_Q) @ (stream @ W_K).T
    expected = alpha * content @ buffer.T
    if same(logits, expected):
        return None
    if not logits.any():
        return "all logits are 0: the head looks nowhere"
    if same(logits / logits.abs().max(), content @ content.T):
        return (
            "a token looks at itself and its copy, not at what followed the copy: the "
            "key reads CONTENT, but the mark stands in BUFFER"
        )
    if same(logits / logits.abs().max(), buffer @ content.T):
        return (
            "query and key are exchanged: a token looks for the one that stood before "
            "it, not for the one that followed it"
        )
    if same(logits / logits.abs().max(), buffer @ buffer.T):
        return "the query reads BUFFER; a token asks for what it is itself, its CONTENT"
    if same(logits, alpha * expected):
        return (
            f"a match has the logit alpha squared: put alpha = {alpha:g} in one of them"
        )
    if same(logits / logits.abs().max(), expected / alpha):
        return f"a full match has the logit {logits.max():.2f}, not alpha = {alpha:g}"
    t, s = divmod((logits - expected).abs().argmax().item(), len(stream))
    return (
        f"token {t} gives token {s} the logit {logits[t, s]:.2f}, not "
        f"{expected[t, s]:.2f}: the query reads CONTENT only, the key BUFFER only"
    )


check(problem_of_matching, matching_weights)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# Take `d_head = VOCABULARY`: number $i$ of the query says "I am token $i$", number $i$
# of the key says "before me stood token $i$". It is step 2 with other rows, and nothing
# to shift.
#
# </details>

# %% [markdown]
# ## Step 5. Copy, and name the answer
#
# The second head has found the right token. It has to **copy** it: add its content to
# the content of the token that asked. The **unembedding** $W_U$ then reads the content
# and gives one logit for each token of the vocabulary. The largest is the prediction.
#
# One thing to mind: in the content there is already a 1, for the token itself. So copy
# with a strength, the *gain*, that will be larger than 1.
#
# Fill in `copying_weights`.


# %%
def copying_weights(gain):
    """W_OV (D_MODEL, D_MODEL): adds gain times the content of the token looked at.

    And W_U (D_MODEL, VOCABULARY): the logit of each token is its content.
    """
    # solution
    W_OV = torch.zeros(D_MODEL, D_MODEL)
    W_OV[CONTENT, CONTENT] = gain * torch.eye(VOCABULARY)
    W_U = torch.zeros(D_MODEL, VOCABULARY)
    W_U[CONTENT] = torch.eye(VOCABULARY)
    return W_OV, W_U
    # end solution


# %% tags=["check"]
# The check of step 5.
def problem_of_copying(weights):
    gain = 4.0
    answer = weights(gain)
    shapes = {"W_OV": (D_MODEL, D_MODEL), "W_U": (D_MODEL, VOCABULARY)}
    if problem := problem_of_shapes(answer, **shapes):
        return problem
    W_OV, W_U = answer
    stream = perfect_stream(letters_twice(length=5, seed=2))[1:]
    content, buffer = stream[:, CONTENT], stream[:, BUFFER]
    written = stream @ W_OV
    if written[:, BUFFER].any() or written[:, POSITION].any():
        return "W_OV writes outside CONTENT, where the unembedding will not look"
    copied = written[:, CONTENT]
    if same(copied, gain * buffer):
        return (
            "W_OV copies BUFFER: that is the token before the one looked at, which is "
            "the token that asks"
        )
    if same(copied, content):
        return "W_OV copies with strength 1, not with the gain"
    if not same(copied, gain * content):
        return "what W_OV adds is not the gain times the content of the token looked at"
    logits = stream @ W_U
    if same(logits, buffer):
        return "W_U reads BUFFER: it names the token before"
    if same(logits, gain * content):
        return "W_U multiplies by the gain too; it belongs into W_OV alone"
    if not same(logits, content):
        return "the logits are not the content: W_U reads CONTENT only, with strength 1"
    return None


check(problem_of_copying, copying_weights)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# Two blocks, `W_OV[CONTENT, CONTENT]` and `W_U[CONTENT]`, are multiples of the identity
# matrix; all else is 0.
#
# </details>
#
# All the pieces together:


# %%
def induction_head(tokens, alpha=12.0, beta=12.0, gain=4.0):
    """Logits (n, VOCABULARY), and the patterns of both layers."""
    stream, pattern_1 = layer_1(embed(tokens), beta)
    W_Q, W_K = matching_weights(alpha)
    W_OV, W_U = copying_weights(gain)
    pattern_2, output = attention(stream @ W_Q, stream @ W_K, stream @ W_OV)
    return (stream + output) @ W_U, pattern_1, pattern_2


# %% [markdown]
# ## Step 6. Does it work?
#
# The tokens stand at positions 0 (start), 1 to $L$ (first copy) and $L + 1$ to $2L$
# (second copy). Two numbers tell whether this is an induction head.
#
# **Accuracy on the second copy.** At which share of the positions $L + 1$ to $2L - 1$
# is the largest logit that of the *next* token? (After position $2L$ the sequence
# ends.)
#
# **Prefix-matching score.** How much weight does a token of the second copy put on the
# token that followed it the first time? The token at $t$ stood at $t - L$, so that is
# the weight from $t$ to $t - L + 1$, averaged over $t$ from $L + 1$ to $2L$.
#
# Fill in both.


# %%
def accuracy_on_second_copy(logits, tokens, length):
    """Share of right predictions at positions length + 1 to 2 * length - 1.

    logits: (2 * length + 1, VOCABULARY), tokens: (2 * length + 1,)
    """
    # solution
    predicted = logits.argmax(1)[length + 1 : 2 * length]
    return (predicted == tokens[length + 2 :]).float().mean().item()
    # end solution


def prefix_matching_score(pattern, length):
    """Mean weight from t to t - length + 1, for t from length + 1 to 2 * length.

    pattern: (2 * length + 1, 2 * length + 1)
    """
    # solution
    t = torch.arange(length + 1, 2 * length + 1)
    return pattern[t, t - length + 1].mean().item()
    # end solution


# %% tags=["check"]
# The check of step 6.
def problem_of_accuracy(accuracy):
    length = 5
    tokens = letters_twice(length, seed=3)
    following = torch.cat([tokens[1:], torch.tensor([START])])

    def measured(predicted):
        return float(accuracy(torch.eye(VOCABULARY)[predicted], tokens, length))

    wrong = torch.full_like(tokens, START)
    if measured(tokens) > 0:
        return (
            "it compares the prediction at t with the token at t, not with the next one"
        )
    early, late = wrong.clone(), wrong.clone()
    early[: length + 1] = following[: length + 1]
    late[length + 1 : -1] = following[length + 1 : -1]
    if measured(early) > 0:
        return "it counts predictions that are made before position length + 1"
    if abs(measured(late) - 1) > 1e-4:
        return (
            f"it gives {measured(late):.2f} where all predictions from length + 1 to "
            "2 * length - 1 are right, and no others; it should be 1"
        )
    late[-2] = START
    if abs(measured(late) - 0.75) > 1e-4:
        return f"it gives {measured(late):.2f} where three of four are right, not 0.75"
    return None


def problem_of_prefix_matching(score):
    length = 5
    first, second = torch.arange(length + 1), torch.arange(length + 1, 2 * length + 1)
    pattern = torch.zeros(2 * length + 1, 2 * length + 1)
    pattern[first, first] = 1
    pattern[second, second - length + 1] = 0.6  # what followed the first time
    pattern[second, second - length] = 0.3  # the same token
    pattern[second, second - 1] = 0.1  # the token before
    found = float(score(pattern, length))
    if abs(found - 0.6) < 1e-4:
        return None
    if abs(found - 0.3) < 1e-4:
        return (
            "it takes the weight on the earlier copy (t - length), not on what followed"
        )
    if abs(found - 0.1) < 1e-4:
        return "it takes the weight on the token before"
    if abs(found - 0.6 * length) < 1e-4:
        return "it adds the weights up; take their mean"
    if found < 0.6 and abs(found * len(pattern) - 0.6 * length) < 0.5:
        return "it averages over all tokens; take those of the second copy only"
    return f"it gives {found:.2f} for a pattern whose score is 0.60"


check(problem_of_accuracy, accuracy_on_second_copy)
check(problem_of_prefix_matching, prefix_matching_score)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# `logits.argmax(1)` is the prediction at each position. Cut out positions $L + 1$ to
# $2L - 1$, and compare them with the tokens one further. For the score, index with two
# lists: `pattern[t, t - length + 1]` with `t = torch.arange(...)`.
#
# </details>
#
# Now run it, on sequences of several lengths, 20 of each.


# %%
def measure(model, length, n_sequences=20):
    """Mean accuracy and mean prefix-matching score of the last layer."""
    accuracies, scores = [], []
    for seed in range(n_sequences):
        tokens = letters_twice(length, seed)
        logits, *_, pattern = model(tokens)
        accuracies.append(accuracy_on_second_copy(logits, tokens, length))
        scores.append(prefix_matching_score(pattern, length))
    return sum(accuracies) / n_sequences, sum(scores) / n_sequences


print("length   accuracy   prefix matching")
for length in (4, 8, 16, 26):
    accuracy, score = measure(induction_head, length)
    print(f"{length:6}   {accuracy:8.2f}   {score:15.4f}")

# %% [markdown]
# The same weights serve every length: nothing in the second layer knows where the first
# copy stands. Here is where both heads look. Rows attend, columns are attended to.

# %%
# alt: Two triangular attention maps over the start token and eight letters twice. In
# the first layer all weight is on the diagonal just below the main one: the token
# before. In the second layer rows of the first copy are spread evenly, and each
# row of the second copy puts all weight on one cell, the token that followed the
# same letter in the first copy.
tokens = letters_twice(length=8, seed=0)
_, pattern_1, pattern_2 = induction_head(tokens)
labels = ["*", *spell(tokens[1:]).split()]  # * is the start token
figure, panels = plt.subplots(1, 2, figsize=(9, 4.4), dpi=150)
titles = ("layer 1: the token before", "layer 2: what followed the first time")
for panel, pattern, title in zip(panels, (pattern_1, pattern_2), titles):
    panel.imshow(pattern.numpy(), cmap="Blues", vmin=0, vmax=1)
    panel.set_title(title)
    panel.set_xticks(range(len(labels)), labels)
    panel.set_yticks(range(len(labels)), labels)
figure.tight_layout()

# %% [markdown]
# The strengths matter. With a small $\alpha$ the second softmax spreads its weight over
# tokens that do not match. The prediction is wrong while the copied token stays below
# the token itself, which has a head start of 1.

# %%
print("alpha   accuracy   prefix matching   (length 16)")
for alpha in (1.0, 2.0, 3.0, 4.0, 6.0, 12.0):
    accuracy, score = measure(lambda t, a=alpha: induction_head(t, alpha=a), 16)
    print(f"{alpha:5.0f}   {accuracy:8.2f}   {score:15.4f}")

# %% [markdown]
# ## Step 7. What one layer can do
#
# With one layer, the logit from $t$ to $s$ depends on the token at $t$, on the token at
# $s$ and on the two positions. None of these says which token stood *before* $s$. So a
# head cannot look for the token that followed. It can look by what it has:
#
# - **By content**: look for the same token. It finds the earlier copy of the token
#   itself, and copies that.
# - **By position**: look back a fixed distance. If all copies have the same length $L$,
#   the wanted token always stands $L - 1$ back.
#
# Fill in `look_back_weights`, which is step 2 for any distance.


# %%
def look_back_weights(distance, beta):
    """W_Q and W_K: the logit from position t to t - distance is beta, others are 0."""
    # solution
    W_Q = torch.zeros(D_MODEL, POSITIONS)
    W_K = torch.zeros(D_MODEL, POSITIONS)
    W_Q[POSITION] = beta * torch.ones(POSITIONS - distance).diag(-distance)
    W_K[POSITION] = torch.eye(POSITIONS)
    return W_Q, W_K
    # end solution


# %% tags=["check"]
# The check of step 7.
def problem_of_look_back(weights):
    for distance in (1, 4, 9):
        problem = problem_of_looking_back(weights(distance, 3.0), distance, beta=3.0)
        if problem:
            return f"with distance {distance}: {problem}"
    return None


check(problem_of_look_back, look_back_weights)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# In step 2 the query at position $t$ was $\beta$ at number $t - 1$. `diag` takes the
# offset of the diagonal as an argument.
#
# </details>
#
# We build both one-layer models, the second for length 8. A third one has another kind
# of key: each token gets the key of the token before. Olsson et al. (Argument 2) train
# networks whose keys are a mixture of the two, and call them **smeared**.


# %%
def one_layer(tokens, W_Q, W_K, gain=4.0):
    """One head, with the copying of step 5: logits and pattern."""
    stream = embed(tokens)
    W_OV, W_U = copying_weights(gain)
    pattern, output = attention(stream @ W_Q, stream @ W_K, stream @ W_OV)
    return (stream + output) @ W_U, pattern


def one_layer_smeared(tokens, W_Q, W_K, gain=4.0):
    """The same, but the key at each position is that of the token before."""
    stream = embed(tokens)
    keys = stream @ W_K
    keys[1:] = keys[:-1].clone()
    W_OV, W_U = copying_weights(gain)
    pattern, output = attention(stream @ W_Q, keys, stream @ W_OV)
    return (stream + output) @ W_U, pattern


own = torch.zeros(D_MODEL, VOCABULARY)
own[CONTENT] = torch.eye(VOCABULARY)
models = {
    "two layers": induction_head,
    "one layer, by content": lambda t: one_layer(t, 12.0 * own, own),
    "one layer, by position": lambda t: one_layer(t, *look_back_weights(8 - 1, 12.0)),
    "one layer, smeared keys": lambda t: one_layer_smeared(t, 12.0 * own, own),
}
print("accuracy on the second copy    " + "".join(f"L = {n:<4}" for n in (6, 8, 16)))
for name, model in models.items():
    accuracies = [measure(model, length)[0] for length in (6, 8, 16)]
    print(f"{name:29}  " + "".join(f"{value:<8.2f}" for value in accuracies))

# %% [markdown]
# The head that looks back by position is perfect at the length it was built for, and
# never right at the others. Looking by content never helps: it names the token itself.
# The two layers find the answer wherever it stands, because the first one writes down,
# on each token, what the second will look for. Smeared keys do the same inside one
# layer: what was missing is not a layer, but a key that knows the token before.

# %% [markdown]
# ## Go on
#
# **1.** Leave the start token away: let `letters_twice` return the letters alone. Which
# prediction of the second copy goes wrong, and why?
#
# <details>
# <summary>Answer</summary>
#
# The one at the first letter of the second copy. The first token of the sequence has
# nothing before it, so it attends to itself, and its buffer holds its own content. When
# its letter comes again, two tokens match: the one that followed, and the first token
# itself. They share the weight, and with its head start the letter itself wins. The
# start token takes this place, and no one asks for it. (Positions shift by one without
# it: count from 0 to $2L - 1$.)
#
# </details>
#
# **2.** Set `gain=1.0`. Why does the accuracy fall although the patterns stay as they
# were?
#
# <details>
# <summary>Answer</summary>
#
# The token found is copied with a weight just under 1, and the token itself has a 1 in
# the content already. It stays ahead, and the model names the token it has just read.
#
# </details>
#
# **3.** Let a letter stand twice in the first copy, as in `a b a c`. What does the head
# predict after the next `a`?
#
# <details>
# <summary>Answer</summary>
#
# The buffers of `b` and of `c` both hold `a`. Both match, each gets about half of the
# weight, and their logits are nearly equal. This head has no rule for which of the two
# comes next.
#
# </details>
