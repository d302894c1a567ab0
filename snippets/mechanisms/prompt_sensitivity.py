"""How much does an answer depend on how the same prompt is put: order, phrasing, which
answers it shows? And does a content-free question put it right?

Source: lu2022 (the 24 orders of four shots) and zhao2021 (majority and recency bias,
calibration). What differs: they ask large language models about text; we ask a decoder
of two layers about a world of which the exact predictor is known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, at_most, below, between
from snippets.icl.networks.decoder import Decoder
from snippets.icl.streams import streams
from snippets.icl.tasks.yes_or_no import NO, YES, World, draw, exact
from snippets.icl.training.fresh_batches import trained
from snippets.icl.training.yes_or_no_prompts import (
    Said,
    as_in_training,
    ask_each,
    mean_said,
    new_prompts,
    repeating_prompts,
    share_right,
)
from snippets.icl.training.yes_or_no_training import Reader, asked, new_decoder, read


@dataclass(frozen=True)
class Config(Reader):
    n_prompts: int = 32  # in all orders and all phrasings
    n_many: int = 256  # where each prompt is asked in one order only


PRESETS = {"laptop": Config()}

ORDERS = torch.tensor(list(permutations(range(4))))  # (24, 4)
LABELS = torch.tensor(list(product((YES, NO), repeat=4)))  # (16, 4)
BOX = torch.tensor([0, 6, 9, 15])  # the things of the prompt that a page lets one touch


# --8<-- [start:orders]
def in_all_orders(
    network: Decoder, world: World, n: int, generator: Generator
) -> dict[str, np.ndarray]:
    """Accuracy on all things after the same four shots, two yes and two no, in each of
    the 24 orders: (prompt, order)."""
    prompts = new_prompts(world, n, 2, 2, generator)
    queries = torch.arange(world.n_things)
    found = []
    for order in ORDERS:
        things, answers = prompts.things[:, order], prompts.answers[:, order]
        both = ask_each(network, world, things, answers, queries)
        found.append([share_right(said, prompts.truth) for said in both])
    network_right, exact_right = (torch.stack(some, 1).numpy() for some in zip(*found))
    return {"order_network": network_right, "order_exact": exact_right}


# --8<-- [end:orders]


# --8<-- [start:phrasings]
def in_all_phrasings(
    network: Decoder, world: World, n: int, generator: Generator
) -> dict[str, np.ndarray]:
    """Accuracy after the same shots in each phrasing, the known ones first: (prompt,
    phrasing)."""
    prompts = new_prompts(world, n, 2, 2, generator)
    queries = torch.arange(world.n_things)
    found = []
    for phrasing in range(world.n_known + world.n_unknown):
        shots = (prompts.things, prompts.answers)
        said, _ = ask_each(network, world, *shots, queries, phrasing)
        found.append(share_right(said, prompts.truth))
    return {"phrasing": torch.stack(found, 1).numpy()}


# --8<-- [end:phrasings]


# --8<-- [start:yeses]
def after_yeses(
    network: Decoder, world: World, n: int, generator: Generator
) -> dict[str, np.ndarray]:
    """P(yes) for a thing whose answer is no, after 0 to 10 shots: all of them yes, or
    half of each."""
    found: dict = {}
    for name, share in (("yeses", 1), ("halves", 2)):
        both = []
        for k in range(0, 11, 2):
            shots = repeating_prompts(world, n, k // share, k - k // share, generator)
            no = (
                torch.rand(shots.truth.shape, generator=generator) - shots.truth
            ).argmax(1)
            both.append(mean_said(network, world, shots, no))
        found[f"{name}_network"], found[f"{name}_exact"] = np.array(both).T
    return found


# --8<-- [end:yeses]


# --8<-- [start:lean]
def leanings(
    network: Decoder, world: World, n: int, generator: Generator
) -> dict[str, np.ndarray | float]:
    """P(yes) for *it*, of which nothing can be known: by how many of four shots are yes,
    and, two being yes, by what the last one says."""
    it = torch.tensor([world.it])
    by_count, last = [], []
    for n_yes in range(5):
        p = new_prompts(world, n, n_yes, 4 - n_yes, generator)
        both = ask_each(network, world, p.things, p.answers, it)
        by_count.append([float(said.mean()) for said in both])
        if n_yes == 2:
            yes = p.answers[:, -1] == YES
            last = [float(said[yes].mean() - said[~yes].mean()) for said in both]
    majority = np.array(by_count)
    return {
        "majority_network": majority[:, 0],
        "majority_exact": majority[:, 1],
        "recency_network": last[0],
        "recency_exact": last[1],
    }


# --8<-- [end:lean]


# --8<-- [start:calibration]
def calibrated(said: Said, content_free: Float[Tensor, "prompt 1"]) -> Said:
    """W p with W = diag(p_cf)^-1, scaled to sum to 1: what tells nothing is answered
    with yes as often as with no."""
    yes, no = said / content_free, (1 - said) / (1 - content_free)
    return yes / (yes + no)


def calibration(
    network: Decoder, world: World, n: int, generator: Generator
) -> dict[str, np.ndarray | float]:
    """What calibrating by *it* adds to accuracy, on prompts by how many of their four
    shots are yes, and on prompts as training had them."""
    everything = torch.arange(world.n_things + 1)
    found: dict = {"gain_network": [], "gain_exact": [], "gain_error": []}
    for n_yes in range(5):
        p = new_prompts(world, n, n_yes, 4 - n_yes, generator)
        both = ask_each(network, world, p.things, p.answers, everything)
        gains = [gain(said, p.truth) for said in both]
        found["gain_network"].append(float(gains[0].mean()))
        found["gain_error"].append(float(gains[0].std() / n**0.5))
        found["gain_exact"].append(float(gains[1].mean()))
    usual, truth = as_in_training(world, 4 * n, generator)
    both = ask_each(network, world, usual.things, usual.answers, everything)
    for name, said in zip(("network", "exact"), both):
        found[f"usual_{name}"] = float(gain(said, truth).mean())
        found[f"usual_{name}_error"] = float(gain(said, truth).std() / (4 * n) ** 0.5)
    return {name: np.array(some) for name, some in found.items()}


def gain(said: Float[Tensor, "prompt thing_and_it"], truth: Tensor) -> Tensor:
    """Accuracy after calibration less accuracy before, for each prompt."""
    things, it = said[:, :-1], said[:, -1:]
    return share_right(calibrated(things, it), truth) - share_right(things, truth)


# --8<-- [end:calibration]


def box(network: Decoder, world: World) -> np.ndarray:
    """P(yes) in 255ths: four things in all orders with all answers, all questions."""
    things = BOX[ORDERS].repeat_interleave(len(LABELS), 0)
    answers = LABELS[:, ORDERS].transpose(0, 1).flatten(0, 1)
    said, _ = ask_each(
        network, world, things, answers, torch.arange(world.n_things + 1)
    )
    said = (255 * said).round().to(torch.uint8)
    return said.view(len(ORDERS), len(LABELS), -1).numpy()


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, *tests = streams(seed, 7)
    network = trained(new := new_decoder(config, weights), read(new, config, data))
    world, few, many = config.world, config.n_prompts, config.n_many
    return {
        **in_all_orders(network, world, few, tests[0]),
        **in_all_phrasings(network, world, few, tests[1]),
        **after_yeses(network, world, many, tests[2]),
        **leanings(network, world, many, tests[3]),
        **calibration(network, world, many, tests[4]),
        **usual_accuracy(network, world, config.n_shots, tests[4]),
        "box": box(network, world),
    }


# --8<-- [end:run]


def usual_accuracy(
    network: Decoder, world: World, n_shots: int, generator: Generator
) -> dict[str, np.ndarray]:
    """On texts as in training: how often the last answer is told right."""
    game = draw(world, 1024, n_shots, generator)
    last = game.answers[:, -1] == YES
    both = asked(network, world, game), exact(world, game.things, game.answers)[:, -1]
    right = [float(((said > 0.5) == last).float().mean()) for said in both]
    return {"usual_accuracy": np.array(right)}


# --8<-- [start:derived]
def points(share: Callable[[Measurements], float]) -> Callable[[Measurements], float]:
    """Hundredths: accuracy gained or lost, in points."""
    return lambda m: 100 * float(share(m))


def spread(m: Measurements, name: str, columns: slice = slice(None)) -> np.ndarray:
    """Of each prompt: its best accuracy less its worst, over orders or phrasings."""
    return np.ptp(m[name][:, columns], axis=1)


def mean_spread(m: Measurements, name: str, columns: slice = slice(None)) -> float:
    return float(spread(m, name, columns).mean())


KNOWN, UNKNOWN = slice(0, 8), slice(8, 16)  # phrasings


def unknown_to_known(m: Measurements) -> float:
    return mean_spread(m, "phrasing", UNKNOWN) / mean_spread(m, "phrasing", KNOWN)


def one_sided(m: Measurements, name: str) -> float:
    """What calibration gains where all four shots have the same answer."""
    return float(m[name][[0, 4]].mean())


def mixed(m: Measurements) -> float:
    return float(m["gain_network"][1:4].mean())


def off(m: Measurements) -> float:
    """The largest distance from the exact predictor, over 0 to 4 shots of yes."""
    return float(np.abs(m["majority_network"] - m["majority_exact"]).max())


# --8<-- [end:derived]


# fmt: off
CLAIMS = [
    Claim("reads", lambda m: float(m["usual_accuracy"][0]), above(0.82), "",
          "After ten shots of a usual text the network is right in more than 82 cases of 100."),
    Claim("reads-exact", lambda m: float(m["usual_accuracy"][1]), between(0.87, 0.95), "",
          "On the same texts the exact predictor is right in 87 to 95 cases of 100."),
    Claim("order", points(lambda m: mean_spread(m, "order_network")), between(4, 25), "points",
          "Between the worst and the best of the 24 orders of four shots lie 4 to 25 points, in the mean prompt."),
    Claim("order-most", points(lambda m: float(spread(m, "order_network").max())), above(15), "points",
          "In one prompt of 32 at least, the order moves accuracy by more than 15 points."),
    Claim("order-exact", lambda m: float(spread(m, "order_exact").max()), at_most(1e-6), "",
          "The exact predictor is as often right in every order.", exact=True),
    Claim("phrasing-known", points(lambda m: mean_spread(m, "phrasing", KNOWN)), below(12), "points",
          "Over eight phrasings that training knew, accuracy spreads by less than 12 points in the mean prompt."),
    Claim("phrasing-unknown", unknown_to_known, above(1.2), "times",
          "Over eight that it never saw the spread is more than 1.2 times as large."),
    Claim("phrasing-unseen", points(lambda m: mean_spread(m, "phrasing", UNKNOWN)), above(8), "points",
          "Over those, accuracy spreads by more than 8 points in the mean prompt."),
    Claim("yeses-exact", lambda m: float(m["yeses_exact"][-1]), between(0.47, 0.53), "",
          "After ten yeses the exact predictor gives yes about one half, for a thing whose answer is no."),
    Claim("yeses", lambda m: float(m["yeses_network"][-1]), above(0.54), "",
          "After ten yeses the network gives yes more than 54 in 100, for a thing whose answer is no."),
    Claim("halves", lambda m: float(m["halves_network"][-1]), below(0.3), "",
          "After five yeses and five noes it gives yes less than 30 in 100 for such a thing."),
    Claim("majority", lambda m: float(m["majority_network"][4] - m["majority_network"][0]), above(0.25), "",
          "Four shots of yes instead of four of no move P(yes) for *it* by more than a quarter."),
    Claim("majority-exact", off, below(0.12), "",
          "In that, the network is never further than 0.12 from the exact predictor."),
    Claim("recency", lambda m: abs(float(m["recency_network"])), below(0.08), "",
          "Whether the last of four shots is a yes moves P(yes) for *it* by less than 0.08."),
    Claim("one-sided", points(lambda m: one_sided(m, "gain_network")), above(10), "points",
          "Where all four shots have one answer, and the rule is not constant, calibration gains more than 10 points."),
    Claim("one-sided-exact", points(lambda m: one_sided(m, "gain_exact")), above(15), "points",
          "There it gains more than 15 points for the exact predictor too."),
    Claim("mixed", points(mixed), between(-2, 5), "points",
          "Where both answers are shown, it changes accuracy by less than 5 points."),
    Claim("usual", points(lambda m: m["usual_network"]), below(1), "points",
          "On prompts as training had them it gains nothing: less than 1 point."),
    Claim("usual-exact", points(lambda m: float(m["usual_exact"])), below(-2), "points",
          "On such prompts it costs the exact predictor more than 2 points."),
]
# fmt: on
