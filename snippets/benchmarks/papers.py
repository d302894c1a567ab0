"""The papers whose released code we time beside ours: where it is, its task and sizes, what the two sides share.

Both sides of a race read their sizes from here. `benchmarks/ours/<name>.py` and `benchmarks/theirs/<name>.py` hold the
two sides; nothing of the authors' code is in this repository, a reader checks it out.

Source of every setting: the released code, at the commit that is named.
"""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Goal:
    """A number measured on held-out prompts, and where training has arrived."""

    what: str  # in words, for the table
    at: float
    falls: bool  # a loss falls to it, an accuracy rises to it
    every: int  # steps between two looks
    at_most: int  # steps
    rate: float | None = None  # the learning rate of both sides, where it is not the paper's

    def reached(self, found: float) -> bool:
        return found <= self.at if self.falls else found >= self.at


@dataclass(frozen=True)
class Paper:
    name: str  # on the command line
    key: str  # in docs/references.bib
    repository: str  # owner/name on GitHub; the checkout's folder is called as the second half
    commit: str
    modules: str  # where in the checkout its modules are imported from
    libraries: tuple[str, ...]  # what the authors' code needs; their versions are kept with the times
    setting: str  # task, sizes, batch, in words
    same: bool  # the same task, weights and update: the losses must agree, and are compared
    difference: str  # what is not the same, in a sentence
    goal: Goal | None = None
    alike: str = "Not like for like"  # in a few words
    module: str = ""  # of both sides, where it is not called as the paper
    options: tuple[tuple[str, float], ...] = ()  # for the authors' side

    @property
    def sides(self) -> str:
        """The name of the modules of its two sides."""
        return self.module or self.name

    def described(self) -> dict[str, Any]:
        """What a table says of it besides the times."""
        told = ("key", "repository", "commit", "setting", "alike", "difference")
        return {name: getattr(self, name) for name in told}

    @property
    def folder(self) -> str:
        return self.repository.split("/")[1]


VON_OSWALD = Paper(
    name="von_oswald",
    key="vonoswald2023",
    repository="google-research/self-organising-systems",
    commit="3d5547ca48b60ecac459834e2c05c9ff5df87991",
    modules="transformers_learn_icl_by_gd",
    libraries=("jax", "jaxlib", "dm-haiku", "optax", "ml-collections", "pytz", "numpy"),
    setting="one layer of linear attention, d = N = 10, batch 2048",
    same=True,
    alike="Like for like",
    difference="Same task, weights and update. Ours computes the query's answer only, theirs all 11 tokens.",
    goal=Goal("a loss within 1 % of the best gradient step's, held out", 1.01, falls=True, every=50, at_most=5000),
)
GARG = Paper(
    name="garg",
    key="garg2022",
    repository="dtsip/in-context-learning",
    commit="338337192195827c58356f9b627e5f999ea703d2",
    modules="src",
    libraries=("torch", "transformers", "scikit-learn", "xgboost", "tqdm"),
    setting="the `tiny` network, 20 dimensions, 41 points, batch 64",
    same=False,
    difference=(
        "Same task and sizes, another network: an example is one token instead of two, and there are no positions. "
        "Their training takes 500,000 steps; we timed steps only."
    ),
)
REDDY = Paper(
    name="reddy",
    key="reddy2024",
    repository="YiranHuangIrene/ICL",
    commit="045dccf8645e0a1f58d33b2deca9e9bffac7499f",
    modules=".",
    libraries=("jax", "jaxlib", "numpy", "matplotlib"),
    setting="two layers of 128 dimensions, 8 pairs, 256 classes, batch 128",
    same=True,
    alike="Like for like",
    difference=(
        "Same task, weights and update. Ours computes the target's answer only, in another order of products. "
        "At a rate of 0.3 we tried seed 0 alone, and neither side arrived in 5,000 steps."
    ),
    goal=Goal(
        "accuracy 0.9 on new classes, at a rate of 0.1 instead of 0.01 on both sides",
        0.9,
        falls=False,
        every=100,
        at_most=6000,
        rate=0.1,
    ),
)
EDELMAN = Paper(
    name="edelman",
    key="edelman2024",
    repository="EzraEdelman/Evolution-of-Statistical-Induction-Heads",
    commit="3ab0b298493d28a26c6ae877876e0db1dce14194",
    modules=".",
    libraries=("torch", "numpy"),
    setting="two layers of 16 dimensions, 3 symbols, 100 tokens, batch 64",
    same=False,
    difference=(
        "Same task and sizes, another network: a number for each distance instead of a vector, RMS norms, no dropout."
    ),
)
EDELMAN_UNDROPPED = replace(
    EDELMAN,
    name="edelman_without_dropout",
    module="edelman",
    options=(("dropout", 0.0),),
    setting="the same, with their dropout switched off",
    difference="As above, and dropout on neither side.",
)
RAVENTOS = Paper(
    name="raventos",
    key="raventos2023",
    repository="mansheej/icl-task-diversity",
    commit="7c35803e68c49f94ac2e618ce4e1bc14470b771b",
    modules=".",
    libraries=("jax", "jaxlib", "flax", "optax", "ml-collections", "numpy"),
    setting="8 layers of 128 dimensions, 8 dimensions of x, 16 points, batch 256",
    same=False,
    difference=(
        "Same task and sizes, another network: an example is one token instead of two, and there are no positions."
    ),
)
AHN = Paper(
    name="ahn",
    key="ahn2023",
    repository="chengxiang/LinearTransformer",
    commit="b6ddc35f0f83e3f8f26e45548e94bac2adafdd50",
    modules=".",
    libraries=("torch", "numpy"),
    setting="three layers with P = 0, d = 5, N = 20, batch 20,000",
    same=True,
    alike="A reduced problem",
    difference=(
        "Same task, weights and update. Ours is the problem reduced to what P = 0 leaves of it, two sums a prompt, "
        "taken once for the 100 steps that the prompts stay; theirs computes with all tokens and zeros."
    ),
)

SINGH = Paper(
    name="singh",
    key="singh2024",
    repository="aadityasingh/icl-dynamics",
    commit="47eba1da8e295af24b10a55de603f5e28db07ed0",
    modules=".",
    libraries=("jax", "jaxlib", "equinox", "optax", "h5py", "nptyping", "numpy"),
    setting="two layers of 64 dimensions and 8 heads, 50 classes, 5 labels, 2 pairs, batch 32",
    same=True,
    alike="Like for like",
    difference=(
        "Same task, weights and update, on both sides with features that we draw: theirs, taken from pictures, are not "
        "released. Ours computes what the 55 different tokens share once, the target's answer only, and the gradient "
        "by hand. The times are those of the one run of three whose rounds agreed within 10 %; the medians of the "
        "other two were 3.8 and 4.9 times."
    ),
    goal=Goal("accuracy 0.9 on the training classes, at the paper's rate", 0.9, falls=False, every=250, at_most=25_000),
)

PAPERS = {paper.name: paper for paper in (VON_OSWALD, GARG, REDDY, EDELMAN, EDELMAN_UNDROPPED, RAVENTOS, AHN, SINGH)}
