"""A prompt of four shots to put in order: what the network of seed 0 said to every order, answer and question."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import numpy as np

from snippets.contract import Measurements
from snippets.icl.tasks.yes_or_no import World
from snippets.mechanisms.prompt_sensitivity import BOX, ORDERS, PRESETS

NAMES = (
    *("dax", "fep", "kib", "lum", "nop", "pim", "wug", "rax"),
    *("sol", "zup", "tev", "vot", "yun", "gim", "hob", "bem", "it"),
)


def data(runs: Callable[[str], list[Measurements]]) -> dict[str, Any]:
    world: World = PRESETS["laptop"].world
    said = np.asarray(runs("prompt_sensitivity")[0]["box"], dtype=np.uint8)
    return {
        "names": NAMES,
        "traits": world.traits.int().tolist(),  # (thing, trait)
        "constant": world.constant,
        "noise": world.noise,
        "box": BOX.tolist(),  # the things of the shots
        "orders": ORDERS.tolist(),
        "said": b64encode(said.tobytes()).decode(),  # (order, answers, question)
    }
