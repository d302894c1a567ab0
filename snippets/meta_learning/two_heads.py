"""Do two heads in each layer take the plateaus away?

Source: minegishi2025, the section on multi-head attention: with more than one head the
circuits form side by side and accuracy climbs smoothly. Here: the setting of `phases`
with two heads of half the width, and fewer steps.
"""

import numpy as np
from matplotlib.figure import Figure

from snippets.book import style
from snippets.book.contract import Claim, Measurements, Reported
from snippets.icl.label_map_training import Config, first_step, longest_rest, train
from snippets.icl.label_maps import Task

PRESETS = {
    "laptop": Config(n_heads=2, n_steps=4500),
    "paper": Config(
        Task(n_slots=65),
        n_heads=2,
        first_scale=1.0,
        learning_rate=0.01,
        momentum=0.0,
        batch=128,
        n_steps=400_000,
        evaluate_every=1000,
    ),
}


def run(config: Config, seed: int) -> Measurements:
    return train(config, seed)
