"""A prompt of four shots to put in order: what the network of seed 0 said to every order, answer and question."""

from base64 import b64encode
from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np

from snippets.contract import Measurements
from snippets.icl.tasks.yes_or_no import World

# as in mechanisms/prompt_sensitivity, and so what follows
BOX = (0, 6, 9, 15)  # the things of the four shots
ORDERS = tuple(permutations(range(4)))
WORLD = World()

NAMES = (
    *("dax", "fep", "kib", "lum", "nop", "pim", "wug", "rax"),
    *("sol", "zup", "tev", "vot", "yun", "gim", "hob", "bem", "it"),
)


def data(runs: Callable[[str], list[Measurements]]) -> dict[str, Any]:
    said = np.asarray(runs("prompt_sensitivity")[0]["box"], dtype=np.uint8)
    return {
        "names": NAMES,
        "traits": WORLD.traits.int().tolist(),  # (thing, trait)
        "constant": WORLD.constant,
        "noise": WORLD.noise,
        "box": BOX,
        "orders": ORDERS,
        "said": b64encode(said.tobytes()).decode(),  # (order, answers, question)
    }
