"""How long a small network waits before it can read: one run, to its first passage.

Source: ours. The network and the training are those of `to_the_jump`, after reddy2024.
"""

import math

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from snippets.icl.training.to_the_jump import (
    Training,
    new_classes,
    train_to_the_jump,
)


# --8<-- [start:cell]
def cell(
    n_pairs: int,
    batch: int,
    n_steps: int,
    learning_rate: float = 0.5,
    width: int = 64,
    d_item: int = 32,
) -> Training:
    """N pairs with four labels for each; every prompt has classes of its own."""
    if n_pairs < 1:
        raise ValueError(f"n_pairs = {n_pairs}: a prompt shows 1 pair or more")
    if batch < 1:
        raise ValueError(f"batch = {batch}: a step needs 1 prompt or more")
    if n_steps < 1 or learning_rate <= 0:
        raise ValueError(
            f"n_steps = {n_steps}, learning_rate = {learning_rate}: give both above 0"
        )
    if width < 1 or d_item < 1:
        raise ValueError(f"width = {width}, d_item = {d_item}: give 1 or more of both")
    task = new_classes(n_pairs, 4 * n_pairs, d_item)
    return Training(
        task, "sgd", learning_rate, n_steps, width, batch, evaluate_every=20, n_test=256
    )


# --8<-- [end:cell]


# --8<-- [start:passage]
def first_passage(step: ndarray, accuracy: ndarray, level: float = 0.5) -> float:
    """The first look with an accuracy of `level` or more; infinity for never."""
    over = step[accuracy >= level]
    return float(over[0]) if len(over) else math.inf


def wait_of(config: Training, seed: int) -> dict[str, ndarray | float]:
    """Train until it can read or is out of steps; its curves, and how long it waited."""
    curves = train_to_the_jump(config, seed)
    step, accuracy = curves["step"].numpy(), curves["accuracy"].numpy()
    steps = first_passage(step, accuracy)
    few = np.unique(np.linspace(0, len(step) - 1, 200).round().astype(int))
    return {
        "step": step[few].astype(np.float32),
        "accuracy": accuracy[few].astype(np.float32),
        "wait": steps,
        "prompts": steps * config.batch,
    }


# --8<-- [end:passage]


# --8<-- [start:exponent]
def exponent(sizes: Real[ndarray, "size"], waits: Real[ndarray, "wait"]) -> float:
    """The slope of waits against sizes, both as logarithms; infinity where one of the
    runs never got there."""
    if len(sizes) < 2 or len(sizes) != len(waits):
        raise ValueError(
            f"{len(sizes)} sizes, {len(waits)} waits: give two or more, as many of both"
        )
    if not np.isfinite(waits).all():
        return math.inf
    return float(np.polyfit(np.log(sizes), np.log(waits), 1)[0])


# --8<-- [end:exponent]
