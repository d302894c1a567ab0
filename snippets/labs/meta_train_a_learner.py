# %% [markdown]
# # Meta-train a learner on tasks you invent
#
# A network sees labelled points one after another, and names the label of each before
# it is shown. Nobody tells it the rule, and its weights do not change while it reads.
# If it gets better along the sequence, it **learns in its context**. Here you train one
# to do so: on a family of tasks that *you* invent. Training to learn is called
# **meta-training**. Then you find out how many tasks it takes until the network learns
# new ones, instead of remembering those it was trained on.
#
# Each step has a short explanation, a function to fill in, a check, and a hint to
# unfold. Run the cells from top to bottom. You need to know a little PyTorch, and what
# cross-entropy is. No GPU is needed; the longest cells take some seconds.
#
# Source: [Kirsch et al. (2022)](https://arxiv.org/abs/2212.04458) for the idea of a
# learner that is trained on many tasks and has no learning algorithm built in. The
# tasks and the network are ours.

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
from torch import nn

torch.set_num_threads(1)  # the tensors are small: more threads would not help
print("Python", sys.version.split()[0])
print("torch", torch.__version__.split("+")[0])
print("matplotlib", matplotlib.__version__)

# %% [markdown]
# ## Points on a circle
#
# A **task** is a rule that gives each point of a circle one of three labels. All points
# come from the same place: anywhere on the circle, evenly. So a task is a way to colour
# the circle, and what differs from task to task is the colouring.

# %%
CLASSES = 3
LENGTH = 24  # points in a sequence


def on_circle(n, length, generator):
    """Random points of the unit circle: (n, length, 2)"""
    angle = 2 * math.pi * torch.rand(n, length, generator=generator)
    return torch.stack([angle.cos(), angle.sin()], -1)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


# %% tags=["check"]
# Used by all checks: nothing to do here, but run it.
# include: _checks.py


def problem_of_shape(tensor, name, shape):
    if not torch.is_tensor(tensor):
        return f"return the tensor {name}"
    if tuple(tensor.shape) != shape:
        return f"{name} has the shape {tuple(tensor.shape)}, not {shape}"
    return None


def percent(share):
    return f"{100 * float(share):.0f} in 100"


# %% [markdown]
# ## Step 1. Invent a family of tasks
#
# Write two functions. `invent` draws `n` random tasks and returns what describes them:
# one tensor whose first dimension is the task. `label` applies each task to its own
# points.
#
# The rule is up to you: three arcs with random ends, the nearest of some random points,
# the largest of three random linear functions ... Four things it must be:
#
# - **a rule**: the label depends on the task and on the point, and on nothing else;
# - **random by the generator given**, so that runs can be repeated;
# - **unknown before**: at any one point the tasks disagree, so that without the context
#   there is little to guess;
# - **learnable from a few points**: neighbours mostly share their label.
#
# Fill in both.


# %%
def invent(n, generator):
    """n random tasks, as one tensor (n, ...)."""
    # solution
    return torch.randn(n, CLASSES, 2, generator=generator)  # a direction for each label
    # end solution


def label(tasks, x):
    """The label of each point under its task: (n, length), integers below CLASSES.

    tasks: (n, ...) as `invent` makes them, x: (n, length, 2)
    """
    # solution
    return (x @ tasks.mT).argmax(-1)  # which direction goes furthest with the point
    # end solution


# %% tags=["check"]
# The check of step 1.
def problem_of_family(invent, label):
    tasks = invent(400, seeded(0))
    if not torch.is_tensor(tasks) or tasks.dim() == 0 or len(tasks) != 400:
        return "invent should return one tensor whose first dimension is the task"
    if not torch.equal(tasks, invent(400, seeded(0))):
        return "invent gives other tasks for the same generator: hand `generator` on"
    generator = seeded(0)
    if torch.equal(invent(400, generator), invent(400, generator)):
        return "invent gives the same tasks at each call: draw them from `generator`"
    x = on_circle(400, 30, seeded(1))
    y = label(tasks, x)
    if problem := problem_of_shape(y, "the labels", (400, 30)):
        return problem
    if y.is_floating_point() or y.dtype == torch.bool:
        return f"the labels are {y.dtype}; make them integers, with .long()"
    if y.min() < 0 or y.max() >= CLASSES:
        return f"the labels go from {y.min()} to {y.max()}, not from 0 to {CLASSES - 1}"
    if not torch.equal(y, label(tasks, x)):
        return (
            "label answers differently when asked twice: put what is random in invent"
        )
    if not torch.equal(y.flip(1), label(tasks, x.flip(1))):
        return "a label depends on where its point stands: it may depend on x alone"
    if not torch.equal(y[:, :1], label(tasks, x[:, :1])):
        return "a label depends on the other points of the sequence"
    if not torch.equal(y[:50], label(tasks[:50], x[:50])):
        return "a label depends on the other tasks"
    same_point = label(tasks, x[:1].expand(400, -1, -1))
    shares = F.one_hot(same_point, CLASSES).float().mean(0)  # (30, CLASSES)
    if shares.max() > 0.7:
        where, which = divmod(shares.argmax().item(), CLASSES)
        at = ", ".join(f"{v:.1f}" for v in x[0, where])
        return (
            f"at the point ({at}) the label is {which} in {percent(shares.max())} of "
            "your tasks, so there is little to learn: let the tasks disagree more"
        )
    if len(y.unique()) < CLASSES:
        return f"only {len(y.unique())} of the {CLASSES} labels ever occur"
    lone = (y == y[:, :1]).all(1).float().mean()
    if lone > 0.5:
        return (
            f"{percent(lone)} of your tasks give all points one label: let each task "
            "use several"
        )
    near = (x @ x.mT - 3 * torch.eye(30)).argmax(-1)
    agree = (y.gather(1, near) == y).float().mean()
    if agree < 0.8:
        return (
            f"of 30 points, only {percent(agree)} have the label of their neighbour: "
            "make the pieces of one colour larger, or nobody can learn them"
        )
    return None


check(problem_of_family, invent, label)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# Take three random directions a task, `torch.randn(n, CLASSES, 2,
# generator=generator)`. The label is the direction with the largest product with the
# point: `x @ tasks.mT` is of the shape `(n, length, CLASSES)`, and `argmax(-1)` does
# the rest.
#
# </details>
#
# Here are six of your tasks.

# %%
# alt: Six circles of coloured points. On each circle the three colours form a few arcs;
# the arcs have different sizes and places from circle to circle.
tasks = invent(6, seeded(3))
x = on_circle(1, 2000, seeded(4)).expand(6, -1, -1)
y = label(tasks, x)
COLOURS = ["#0072b2", "#d55e00", "#009e73"]
figure, panels = plt.subplots(1, 6, figsize=(9, 1.7), dpi=150)
for panel, points, labels in zip(panels, x, y):
    panel.scatter(*points.T, c=[COLOURS[i] for i in labels], s=4)
    panel.set_aspect("equal")
    panel.axis("off")
figure.tight_layout()

# %% [markdown]
# ## Step 2. What the network reads
#
# At place $t$ the network must name the label of point $t$. What may it know? The point
# $x_t$; and of the place before, the point *and* its label. The label $y_t$ itself must
# not be in what it reads up to there.
#
# So token $t$ holds three things side by side:
#
# | numbers | hold |
# |---|---|
# | 0, 1 | the point $x_t$ |
# | 2, 3 | the point before, $x_{t-1}$ |
# | 4, 5, 6 | the label before, $y_{t-1}$: 1 at its number, 0 elsewhere |
#
# At the first place nothing was before: zeros.
#
# Fill in `tokens`.


# %%
def tokens(x, y):
    """What the network reads: (n, length, 4 + CLASSES).

    x: (n, length, 2), y: (n, length), integers
    """
    # solution
    shown = torch.cat([x, F.one_hot(y, CLASSES).float()], -1)
    before = torch.zeros_like(shown)
    before[:, 1:] = shown[:, :-1]
    return torch.cat([x, before], -1)
    # end solution


# %% tags=["check"]
# The check of step 2.
def problem_of_tokens(tokens):
    x = on_circle(2, 5, seeded(0))
    y = torch.tensor([[0, 2, 1, 1, 0], [1, 0, 2, 0, 2]])
    found = tokens(x, y)
    if problem := problem_of_shape(found, "the tokens", (2, 5, 4 + CLASSES)):
        return problem
    changes = []  # for the label at each place, which tokens change with it
    for t in range(5):
        other = y.clone()
        other[:, t] = (other[:, t] + 1) % CLASSES
        changes.append((tokens(x, other) != found).any(-1).any(0))
    for t, changed in enumerate(changes):
        if changed[: t + 1].any():
            where = changed.nonzero()[0].item()
            return (
                f"token {where} changes with the label at {t}: the answer leaks; token "
                "t may hold the label at t - 1, no later one"
            )
    for t, changed in enumerate(changes[:-1]):
        if not changed[t + 1]:
            return f"token {t + 1} does not change with the label before it, at {t}"
    if found[:, 0, 2:].any():
        return "before the first token there is nothing: its numbers from 2 on are 0"
    if not torch.equal(found[..., :2], x):
        return "numbers 0 and 1 should be the point itself"
    if not torch.equal(found[:, 1:, 2:4], x[:, :-1]):
        if torch.equal(found[:, 1:, 2:4], x[:, 1:]):
            return "numbers 2 and 3 hold the point itself again, not the one before"
        return "numbers 2 and 3 should be the point before"
    if not torch.equal(found[:, 1:, 4:], F.one_hot(y[:, :-1], CLASSES).float()):
        return "numbers 4 to 6 should be the label before: 1 at its number, 0 elsewhere"
    return None


check(problem_of_tokens, tokens)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# `F.one_hot(y, CLASSES).float()` turns labels into ones and zeros. Make a tensor of
# zeros for what was before, and fill it from place 1 on with what stands at the places
# up to the last but one: `before[:, 1:] = shown[:, :-1]`.
#
# </details>
#
# The network is one attention layer and one hidden layer. There is nothing in it that
# knows what learning is: no nearest neighbour, no gradient.


# %%
class Learner(nn.Module):
    """Reads tokens (n, length, 4 + CLASSES), gives logits (n, length, CLASSES)."""

    def __init__(self, seed, d_model=48):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.read = nn.Linear(4 + CLASSES, d_model)
            self.query = nn.Linear(d_model, d_model, bias=False)
            self.key = nn.Linear(d_model, d_model, bias=False)
            self.value = nn.Linear(d_model, d_model, bias=False)
            self.hidden = nn.Linear(d_model, 2 * d_model)
            self.back = nn.Linear(2 * d_model, d_model)
            self.name = nn.Linear(d_model, CLASSES)

    def forward(self, tokens):
        stream = self.read(tokens)
        length, d_model = stream.shape[1:]
        logits = self.query(stream) @ self.key(stream).mT / math.sqrt(d_model)
        future = torch.ones(length, length).triu(1).bool()
        pattern = logits.masked_fill(future, -torch.inf).softmax(-1)
        stream = stream + pattern @ self.value(stream)
        stream = stream + self.back(self.hidden(stream).relu())
        return self.name(stream)


print(sum(p.numel() for p in Learner(seed=0).parameters()), "parameters")

# %% [markdown]
# ## Step 3. Something to compare with
#
# How well can a sequence be learned? A simple learner is the **nearest neighbour**: it
# gives a point the label of the nearest point *before* it. At the first place it knows
# nothing and says 0.
#
# Fill in `nearest_neighbour`.


# %%
def nearest_neighbour(x, y):
    """A guess at each place: the label of the nearest earlier point, (n, length).

    x: (n, length, 2), y: (n, length); the guess at place 0 is 0
    """
    # solution
    length = x.shape[1]
    distance = torch.cdist(x, x)  # from each place to each
    not_before = torch.ones(length, length).triu(0).bool()
    nearest = distance.masked_fill(not_before, torch.inf).argmin(-1)
    guess = y.gather(1, nearest)
    guess[:, 0] = 0
    return guess
    # end solution


# %% tags=["check"]
# The check of step 3.
def problem_of_nearest(nearest_neighbour):
    x, y = on_circle(50, 6, seeded(0)), torch.randint(3, (50, 6), generator=seeded(1))
    y_before = y.clone()
    guess = nearest_neighbour(x, y)
    if problem := problem_of_shape(guess, "the guess", (50, 6)):
        return problem
    if not torch.equal(y, y_before):
        return "it changes y: work on a copy"
    if torch.equal(guess[:, 1:], y[:, 1:]):
        return "it finds each point nearest to itself: only earlier places count"
    distances = (x[:, :, None] - x[:, None]).norm(dim=-1)
    earlier = torch.ones(6, 6).tril(-1).bool()

    def by(distances, allowed):
        index = distances.masked_fill(~allowed, torch.inf).argmin(-1)
        return y.gather(1, index)[:, 1:]

    if torch.equal(guess[:, 1:], by(distances, earlier)):
        if guess[:, 0].any():
            return "at place 0 nothing was before: the guess there is 0"
        return None
    if torch.equal(guess[:, 1:], by(distances, ~torch.eye(6).bool())):
        return "it looks at later places too: only earlier ones count"
    if torch.equal(guess[:, 1:], by(-distances, earlier)):
        return "it takes the farthest point, not the nearest"
    wrong = (guess[:, 1:] != by(distances, earlier)).nonzero()[0]
    n, t = wrong[0].item(), wrong[1].item() + 1
    return f"at place {t} of sequence {n} it does not give the nearest earlier label"


check(problem_of_nearest, nearest_neighbour)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# `torch.cdist(x, x)` is the distance from each place (rows) to each (columns). Set what
# is not before, `torch.ones(length, length).triu(0).bool()`, to infinity; `argmin(-1)`
# is the nearest, and `y.gather(1, nearest)` its label.
#
# </details>

# %% [markdown]
# ## Step 4. The loss of a learner
#
# In meta-training each *sequence* is one example. A step draws a batch of tasks from
# the **pool**, the tasks that training may use; draws fresh points for each; and
# asks for the label at every place. The loss is the cross-entropy, averaged over all
# sequences and all places. To make it small, the network must be right as early in a
# sequence as it can. If it cannot know the task beforehand, it must learn it from the
# sequence.
#
# Fill in `meta_loss`.


# %%
def meta_loss(learner, pool, batch, generator):
    """Mean cross-entropy over `batch` sequences of LENGTH points and over all places.

    Each sequence has a task drawn from the pool, and fresh points.
    """
    # solution
    tasks = pool[torch.randint(len(pool), (batch,), generator=generator)]
    x = on_circle(batch, LENGTH, generator)
    y = label(tasks, x)
    logits = learner(tokens(x, y))
    return F.cross_entropy(logits.flatten(0, 1), y.flatten())
    # end solution


# %% tags=["check"]
# The check of step 4.
def problem_of_loss(meta_loss):
    pool, read = invent(3, seeded(0)), []

    def spy(tokens):
        """Sure of label 0 in the first half, undecided after."""
        read.append(tokens)
        logits = torch.zeros(*tokens.shape[:2], CLASSES)
        logits[:, : LENGTH // 2, 0] = 3.0
        return logits

    generator = seeded(1)
    losses = [meta_loss(spy, pool, 40, generator) for _ in range(2)]
    if not torch.is_tensor(losses[0]) or losses[0].dim() != 0:
        return "return one number, as a tensor: the mean over sequences and places"
    if len(read) != 2:
        return f"it asks the learner {len(read) / 2:g} times a step, not once"
    if problem := problem_of_shape(read[0], "what it reads", (40, LENGTH, 4 + CLASSES)):
        return problem
    if torch.equal(read[0][..., :2], read[1][..., :2]):
        return "the points are the same at each step: draw them from `generator`"
    x, y = read[0][:, 1:, 2:4], read[0][:, 1:, 4:].argmax(-1)  # all but the last place
    fits = torch.stack(
        [(label(t.expand_as(pool[[0] * 40]), x) == y).all(1) for t in pool]
    )
    if not fits.any(0).all():
        return (
            f"{percent(1 - fits.any(0).float().mean())} of the sequences have labels "
            "of no task of the pool: draw tasks from the pool, do not invent new ones"
        )
    if not fits.any(1).all():
        return "some tasks of the pool are never used: draw one for each sequence"
    surely = torch.tensor([3.0, 0.0, 0.0]).log_softmax(0)  # of the first half
    expected = (math.log(CLASSES) - surely[y[:, : LENGTH // 2]].mean().item()) / 2
    found = losses[0].item()
    if abs(found - expected) < 1e-4:
        return None
    if abs(found - math.log(CLASSES)) < 1e-4:
        return "it counts the last place alone, or the last half: count all places"
    if abs(found / (expected * 40 * LENGTH) - 1) < 1e-3:
        return "it is the sum over places and sequences, not the mean"
    return f"it gives {found:.2f} where the mean cross-entropy is {expected:.2f}"


check(problem_of_loss, meta_loss)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# `torch.randint(len(pool), (batch,), generator=generator)` picks the tasks. Then
# `on_circle`, `label`, `tokens`, and the learner. `F.cross_entropy` wants logits
# `(m, CLASSES)` and labels `(m,)`: flatten sequences and places into one dimension.
#
# </details>
#
# Training is the usual loop.

# %%
STEPS = 400
BATCH = 48


def meta_train(pool, seed):
    """A new learner, trained on tasks of the pool."""
    generator = seeded(seed)
    learner = Learner(seed)
    optimizer = torch.optim.Adam(learner.parameters(), 0.005)
    for _ in range(STEPS):
        loss = meta_loss(learner, pool, BATCH, generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return learner


# %% [markdown]
# ## Step 5. Does it learn along the sequence?
#
# For each place, at which share of sequences is the largest logit the right one? If
# that share goes up from the first place to the last, the network learns, with its
# weights at rest.
#
# Fill in `accuracy_by_place`.


# %%
def accuracy_by_place(learner, tasks, generator):
    """The share of right answers at each place: (LENGTH,).

    One sequence with fresh points for each task. No gradient is needed.
    """
    # solution
    x = on_circle(len(tasks), LENGTH, generator)
    y = label(tasks, x)
    with torch.no_grad():
        guess = learner(tokens(x, y)).argmax(-1)
    return (guess == y).float().mean(0)
    # end solution


# %% tags=["check"]
# The check of step 5.
def problem_of_accuracy(accuracy_by_place):
    task = invent(1, seeded(5))
    tasks = task[[0] * 60]

    def knows(tokens):
        """Right everywhere but at the first five places, where it is always wrong."""
        right = label(tasks, tokens[..., :2])
        right[:, :5] = (right[:, :5] + 1) % CLASSES
        return F.one_hot(right, CLASSES).float().requires_grad_()

    generator = seeded(0)
    found = accuracy_by_place(knows, tasks, generator)
    if problem := problem_of_shape(found, "the accuracy", (LENGTH,)):
        if torch.is_tensor(found) and tuple(found.shape) == (60,):
            return "it averages over places; average over sequences, place by place"
        return problem
    if found.requires_grad:
        return "it keeps a graph for gradients: measure under torch.no_grad()"
    expected = torch.ones(LENGTH)
    expected[:5] = 0
    if torch.allclose(found, 1 - expected):
        return "it gives the share of wrong answers"
    if not torch.allclose(found, expected):
        return (
            f"it gives {found[0]:.2f} at place 0 and {found[-1]:.2f} at the last for a "
            "learner that is always wrong at places 0 to 4 and right after: compare "
            "its largest logit with the label at the same place"
        )
    return None


check(problem_of_accuracy, accuracy_by_place)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# Points, labels and tokens as in step 4, but with the tasks as given. `argmax(-1)` of
# the logits is the guess; `(guess == y).float().mean(0)` averages over sequences.
#
# </details>
#
# Now train one learner on many tasks, so many that no task comes often. Then test it on
# tasks that it has never seen.

# %%
# alt: Accuracy against place in the sequence, 0 to 23. The trained network and the
# nearest neighbour both start at chance, one third, climb steeply over the first five
# places and end near nine tenths, close to each other. The untrained network stays
# near chance.
MANY = 20_000
new_tasks = invent(1000, seeded(1_000_001))  # training sees none of these
trained = meta_train(invent(MANY, seeded(10)), seed=0)
curve = accuracy_by_place(trained, new_tasks, seeded(11))
x = on_circle(len(new_tasks), LENGTH, seeded(11))  # the same points
y = label(new_tasks, x)
neighbour = (nearest_neighbour(x, y) == y).float().mean(0)
untrained = accuracy_by_place(Learner(seed=0), new_tasks, seeded(11))

figure, panel = plt.subplots(figsize=(5.2, 3.2), dpi=150)
panel.plot(curve, color=COLOURS[0], label="trained network, new tasks")
panel.plot(neighbour, "--", color=COLOURS[1], label="nearest neighbour")
panel.plot(untrained, color="#888888", label="untrained network")
panel.axhline(1 / CLASSES, color="black", linewidth=0.8, linestyle=":")
panel.set(xlabel="place in the sequence", ylabel="accuracy", ylim=(0, 1.02))
panel.legend()
figure.tight_layout()
print("accuracy at the first and at the last place")
for name, values in (("network", curve), ("nearest neighbour", neighbour)):
    print(f"{name:18} {values[0]:.2f} {values[-1]:.2f}")

# %% [markdown]
# Both can only guess at first, and both learn. The network has seen none of these tasks
# before, and no weight changes while it reads. At the first few places it is ahead of
# the nearest neighbour, at the last ones a little behind: what training found is a
# learner of its own. Exercise 1 asks what it knows that the nearest neighbour does not.

# %% [markdown]
# ## Step 6. Remember, recognise, or learn
#
# What if the pool holds few tasks? Then there are other ways to be right. Compare
# accuracy on tasks of the pool (**seen**) with that on new ones (**unseen**). The
# **gain** of a curve is its mean over the last five places, minus its first place.
#
# | the network ... | gain on seen tasks | gain on unseen tasks |
# |---|---|---|
# | **remembers**: it knows the answer from the point alone | small | small |
# | **recognises**: it finds out which of its tasks this is | large | small |
# | **learns** | large | large |
#
# "Large" shall mean at least 0.2. These are ends of a scale; a network may do a little
# of each.
#
# Fill in both functions.


# %%
def gain(curve):
    """Accuracy over the last five places, minus that at the first: a float."""
    # solution
    return (curve[-5:].mean() - curve[0]).item()
    # end solution


def verdict(seen, unseen):
    """One of "remembers", "recognises" and "learns". seen, unseen: curves, (LENGTH,)"""
    # solution
    if gain(unseen) >= 0.2:
        return "learns"
    return "recognises" if gain(seen) >= 0.2 else "remembers"
    # end solution


# %% tags=["check"]
# The check of step 6.
def problem_of_gain(gain):
    curve = torch.full((LENGTH,), 0.5)
    curve[0], curve[1], curve[-5:] = 0.3, 0.9, torch.tensor([0.6, 0.7, 0.8, 0.7, 0.7])
    found = float(gain(curve))
    if abs(found - 0.4) < 1e-4:
        return None
    if abs(found + 0.4) < 1e-4:
        return "it is the first minus the last: a curve that rises has a positive gain"
    if abs(found - 0.7) < 1e-4:
        return "it is the accuracy at the end; take that at the first place away"
    return f"it gives {found:.2f} for a curve that starts at 0.30 and ends at 0.70"


def problem_of_verdict(verdict):
    flat = torch.full((LENGTH,), 1 / 3)
    rising = torch.linspace(1 / 3, 0.9, LENGTH)
    known = torch.ones(LENGTH)
    cases = (
        ("remembers", known, flat, "1 everywhere on seen tasks, chance on unseen ones"),
        ("recognises", rising, flat, "rising on seen tasks, flat on unseen ones"),
        ("learns", rising, rising, "rising on both"),
        ("remembers", flat + 0.3, flat, "flat on both"),
        (
            "recognises",
            rising,
            flat + 0.3,
            "rising on seen tasks, flat but high on others",
        ),
    )
    for wanted, seen, unseen, what in cases:
        found = verdict(seen, unseen)
        if found != wanted:
            return f'it says "{found}" of curves that are {what}; that is "{wanted}"'
    return None


check(problem_of_gain, gain)
check(problem_of_verdict, verdict)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# Ask for the gain on unseen tasks first: who learns new tasks learns. If it is small,
# the gain on seen tasks decides between the other two.
#
# </details>

# %% [markdown]
# ## Step 7. How many tasks does it take?
#
# Train one learner for each pool size, and nothing else changed: the same number of
# steps, of sequences and of fresh points. Test each on tasks of its own pool and on new
# ones, with fresh points for both.
#
# Fill in `sweep`. It gets the training as an argument, `train(pool, seed)`.


# %%
N_TEST = 1000  # sequences in each test


def sweep(sizes, train):
    """For each pool size the curves on seen and on unseen tasks, two of (LENGTH,).

    Returns a dictionary from the size to the pair (seen, unseen).
    """
    # solution
    curves = {}
    for size in sizes:
        generator = seeded(size)
        pool = invent(size, generator)
        learner = train(pool, seed=0)
        again = pool[torch.randint(size, (N_TEST,), generator=generator)]
        new = invent(N_TEST, generator)  # goes on where the pool ended: other tasks
        curves[size] = tuple(
            accuracy_by_place(learner, tasks, generator) for tasks in (again, new)
        )
    return curves
    # end solution


# %% tags=["check"]
# The check of step 7.
def problem_of_sweep(sweep):
    pools = []

    def train(pool, seed):
        """A stand-in: right where the sequence so far fits a task of its pool."""
        pools.append(pool)

        def learner(tokens):
            x, y = tokens[:, 1:, 2:4], tokens[:, 1:, 4:].argmax(-1)
            fits = torch.stack(
                [label(t.expand(len(x), *t.shape), x) == y for t in pool]
            )
            known = fits.all(2).any(0)  # one for each sequence
            task = pool[fits.all(2).float().argmax(0)]
            right = label(task, tokens[..., :2])
            guess = torch.where(known[:, None], right, 0)
            return F.one_hot(guess, CLASSES).float()

        return learner

    found = sweep((1, 3), train)
    if not isinstance(found, dict) or list(found) != [1, 3]:
        return "return a dictionary with a pair of curves for each size"
    if [len(pool) for pool in pools] != [1, 3]:
        return (
            f"it trains on pools of {[len(pool) for pool in pools]} tasks where the "
            "sizes are [1, 3]: one pool and one training for each size"
        )
    for size, pair in found.items():
        if not isinstance(pair, tuple) or len(pair) != 2:
            return f"for size {size} return two curves, (seen, unseen)"
        seen, unseen = pair
        for name, curve in (("seen", seen), ("unseen", unseen)):
            if problem := problem_of_shape(curve, f"{name} for size {size}", (LENGTH,)):
                return problem
        if seen.mean() < 0.99 and unseen.mean() > 0.99:
            return "seen and unseen are exchanged"
        if seen.mean() < 0.99:
            return (
                f"with size {size} a learner that knows its pool is right in only "
                f"{percent(seen.mean())} of answers on seen tasks: test it on tasks "
                "of the pool it was trained on"
            )
        if unseen.mean() > 0.9:
            return (
                "a learner that knows its pool alone is right on the unseen tasks: "
                "they are those of the pool, so draw new ones"
            )
    return None


check(problem_of_sweep, sweep)

# %% [markdown]
# <details>
# <summary>Hint</summary>
#
# For each size: make a generator, invent the pool, train. For the test on seen tasks
# draw `N_TEST` tasks from the pool, as in step 4, with repetition. Unseen tasks come
# from `invent` again, with the same generator going on, or with a seed never used.
#
# </details>
#
# The trainings of the next three cells are the longest part of the lab.

# %%
curves = sweep((1, 2, 4), meta_train)

# %%
curves |= sweep((8, 16), meta_train)

# %%
curves |= sweep((64, 256), meta_train)

# %%
# alt: Accuracy at the last places against the number of tasks in the pool, 1 to 256.
# On seen tasks it is near 1 for small pools and sinks to about nine tenths. On unseen
# tasks it stays below one half up to 4 tasks, jumps to about eight tenths at 8, and
# meets the curve of the seen ones from 16 on, just below the line of the nearest
# neighbour.
print("        seen        unseen")
print("tasks   first last  first last  the network")
for size, pair in curves.items():
    numbers = "  ".join(f"{c[0]:5.2f} {c[-5:].mean():.2f}" for c in pair)
    print(f"{size:5}   {numbers}  {verdict(*pair)}")
figure, panel = plt.subplots(figsize=(5.2, 3.2), dpi=150)
for index, name in enumerate(("seen tasks", "unseen tasks")):
    late = [pair[index][-5:].mean() for pair in curves.values()]
    panel.plot(list(curves), late, "o-", color=COLOURS[index], label=name)
panel.axhline(1 / CLASSES, color="black", linewidth=0.8, linestyle=":")
level = neighbour[-5:].mean()
panel.axhline(level, color="#888888", linewidth=0.8, label="nearest neighbour")
panel.set_xscale("log")
panel.set_xticks(list(curves), list(curves))
panel.minorticks_off()
panel.set(xlabel="tasks in the pool", ylabel="accuracy at the last places")
panel.set_ylim(0, 1.02)
panel.legend()
figure.tight_layout()

# %% [markdown]
# With one task the point alone tells the answer, and nothing is left to gain. With
# eight or more, what the network does works for new tasks as well. In between it
# depends on which tasks these are. Two that agree on most of the circle need hardly be
# told apart; with the family of the hint, the pool of 2 drawn here is such a pair. Two
# that differ more must be told apart, and then the network recognises: it finds out
# which of its tasks this is, and on a new one that helps little. In eight other draws
# of this family, all pools of 1 made it remember, all of 2 recognise, most of 4
# recognise, and all of 8 learn.
#
# Note what did *not* change: network, training, and loss. Only the pool did. And a test
# on seen tasks alone would not tell recognising from learning.

# %% [markdown]
# ## Go on
#
# **1.** At the second place the network of step 5 is right in about half of the
# sequences, the nearest neighbour in four tenths. Both have one point and its label.
# What does the network do with them? Compare its answer with the label shown, for
# points near each other and for points far apart.
#
# <details>
# <summary>Answer</summary>
#
# The nearest neighbour can only repeat the one label that it knows. The network repeats
# it in more than 9 of 10 sequences if the second point is less than 60 degrees from the
# first, and names another in more than 9 of 10 if it is more than 90 degrees away. For
# these tasks that is wise: each label lies in one piece, so on the other side of the
# circle there is another. No sequence says so. The network has it from training: it
# knows the *family*.
#
# </details>
#
# **2.** Invent a richer family: cut the circle into nine arcs at random places, and let
# the labels take turns, so that each has three pieces. Does the change to learning need
# more tasks?
#
# <details>
# <summary>Answer</summary>
#
# Run all steps again with it. What it reaches is less: .80 at the last places, and the
# nearest neighbour .82, since 23 points show less of so many pieces. But here too a
# pool of one made it remember, and one of eight or more made it learn. So it was with
# the other families that we tried: the nearest of three points, three arcs, six arcs,
# and a third label for all that is far from two points. (Each with two draws of the
# pools.) We had thought that a richer family needs a larger pool. In these trials it
# did not.
#
# </details>
#
# **3.** In step 2, leave the point before out of the tokens (numbers 2 and 3 zero).
# What can the network no longer do?
#
# <details>
# <summary>Answer</summary>
#
# Train it so, and accuracy on new tasks rises at the second place, to about .52, and
# stays there. The label in token $t$ belongs to the point in token $t - 1$. One layer
# of attention finds tokens by what they hold, and no token holds a point with its own
# label. With positions and a second layer it could be done: the first layer copies each
# point to the token after it. That is how an induction head works.
#
# </details>
#
# **4.** Give the trained network longer sequences: set `LENGTH = 48` and measure again.
# Does it go on gaining?
#
# <details>
# <summary>Answer</summary>
#
# Nothing in it knows a position, so it runs, and it gains: .92 at the places 19 to 23,
# .94 at the last five. The nearest neighbour goes from .93 to .97, so the distance
# grows. The softmax shares its weight among twice as many tokens, and was trained with
# 24.
#
# </details>
