"""Mary and John went out; John gave the book to? Which circuit answers, and do networks
that differ in first weights or in the order of their data find the same one?

Source: wang2022 (abstract) finds the circuit for such sentences in GPT-2 small;
chughtai2023 (abstract) asks whether networks agree, on groups. Here: attention only, two
layers, words without grammar, four networks a seed (two first weights times two orders
of data). What counts as the same circuit was written down before seeds 0 to 4 were run.
"""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import torch
from torch import Generator

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.networks.two_readers import TwoReaders
from snippets.icl.tasks.repeated_names import Batch, Task, write
from snippets.icl.training.name_circuits import PLACES, accuracy, examine
from snippets.icl.training.name_readers import DATA, FIRST_WEIGHTS, Config, train

PRESETS = {"laptop": Config()}

ODD, EARLIER, LATER, WORD, END = range(len(PLACES))
NETWORKS = range(len(DATA))
PAIRS = list(combinations(NETWORKS, 2))
SAME_START = [p for p in PAIRS if FIRST_WEIGHTS[p[0]] == FIRST_WEIGHTS[p[1]]]
SAME_DATA = [p for p in PAIRS if DATA[p[0]] == DATA[p[1]]]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    networks, world, exam = train(config, seed)
    new = world.draw(config.n_test, exam, new=True)  # pairs that training never shows
    seen = world.draw(config.n_test, exam)
    more = four_slots(config.task, seen, exam, people=2)
    people = four_slots(config.task, seen, exam, people=3)
    answers = {name: logits(networks, batch) for name, batch in
               {"seen": seen, "thrice": more, "people": people}.items()}  # fmt: skip
    either = people.who.gather(1, singles(people))  # (batch, 2)
    named = answers["people"].argmax(-1)[..., None]
    return {
        **examine(networks, config.task, new),
        "seen": accuracy(answers["seen"], seen).numpy(),
        "thrice": accuracy(answers["thrice"], more).numpy(),
        "people": (named == either).any(-1).float().mean(1).numpy(),
        "a_place": best_place(new),
        "n_parameters": sum(p[0].numel() for p in networks.parameters()),
    }


# --8<-- [end:run]


def logits(networks: TwoReaders, batch: Batch) -> torch.Tensor:
    with torch.no_grad():
        return networks(batch.tokens.expand(len(networks.W_E), -1, -1))


def four_slots(task: Task, batch: Batch, generator: Generator, people: int) -> Batch:
    """Prompts as no network was trained on, with four names: one person three times and
    another once (2 people), or one twice and two others (3)."""
    n = len(batch.answer)
    odd = torch.randint(4, (n,), generator=generator)
    slot = torch.arange(4)
    who = torch.where(
        slot == odd[:, None], batch.answer[:, None], batch.repeated[:, None]
    )
    if people == 3:  # the slot before the odd one goes to the next name that is free
        third = (batch.answer + 1) % task.n_names
        third = torch.where(third == batch.repeated, (third + 1) % task.n_names, third)
        third = torch.where(third == batch.answer, (third + 1) % task.n_names, third)
        who = who.scatter(1, (odd[:, None] + 3) % 4, third[:, None])
    tokens, slots = write(task, who, generator)
    return Batch(tokens, slots, who, odd)


def singles(people: Batch) -> torch.Tensor:
    """The slots of the two who are named once."""
    return torch.stack([people.odd, (people.odd + 3) % 4], 1)


def best_place(test: Batch) -> float:
    """How often the best of three rules is right: the first name, the second, the third."""
    return float(max((test.odd == slot).float().mean() for slot in range(3)))


# --8<-- [start:signature]
def signature(m: Measurements, net: int) -> str:
    """What we call the same circuit: three questions with thresholds, asked in words."""
    part, spot = m["parts"][net], m["spots"][net]
    repeats = part[EARLIER] + part[LATER]
    how = "copies" if part[ODD] > 0.5 else "suppresses" if repeats > 0.5 else "mixed"
    detector = "detector" if spot[LATER] > 0.25 else "no detector"
    prepared = "odd one prepared" if spot[ODD] > 0.25 else "odd one not prepared"
    return f"{how}, {detector}, {prepared}"


def learned(m: Measurements) -> list[int]:
    """The networks that are right in four of five prompts of pairs they know."""
    return [net for net in NETWORKS if m["seen"][net] > 0.8]


# --8<-- [end:signature]


def apart(m: Measurements, pairs: list[tuple[int, int]]) -> float:
    """How far the shares of the lead by place lie apart in such pairs: half the sum of
    the differences, 0 for the same, averaged over pairs."""
    parts = m["parts"]
    return float(np.mean([np.abs(parts[a] - parts[b]).sum() / 2 for a, b in pairs]))


def worst(name: str, place: int, pick: Callable) -> Callable[[Measurements], float]:
    return lambda m: float(pick(m[name][learned(m), place]))


def middle(name: str, *place: int) -> Callable[[Measurements], float]:
    """The median over a seed's networks that have learned the task."""
    return lambda m: float(np.median(m[name][(learned(m), *place)]))


def repeats(m: Measurements) -> float:
    """The part of the lead read from the repeated name's two places, a median."""
    parts = m["parts"][learned(m)]
    return float(np.median(parts[:, EARLIER] + parts[:, LATER]))


def cost(name: str) -> Callable[[Measurements], float]:
    """Accuracy lost to a blindness, a median over networks."""
    return lambda m: float(np.median((m["accuracy"] - m[name])[learned(m)]))


def gathered(m: Measurements) -> float:
    """Of the last token's attention in layer 1, both heads alike, how much is on the
    three names: a median."""
    looks = m["end_looks"][learned(m)].mean(1)  # (network, place)
    return float(np.median(looks[:, [ODD, EARLIER, LATER]].sum(1)))


def among_names(m: Measurements) -> float:
    """Of layer 2's attention to the three names, both heads alike, how much is on the
    odd one: a median."""
    reads = m["reads"][learned(m)].mean(1)
    return float(np.median(reads[:, ODD] / reads[:, [ODD, EARLIER, LATER]].sum(1)))


def copied(place: int, name: int) -> Callable[[Measurements], float]:
    """What layer 2 writes from a place along the two names: the share of one of them (0
    the odd, 1 the repeated), negative if it is crossed out; a median."""

    def value(m: Measurements) -> float:
        wrote = m["written"][learned(m), place]  # (network, name)
        return float(np.median(wrote[:, name] / np.abs(wrote).sum(1)))

    return value


def needed_head(layer: int) -> Callable[[Measurements], float]:
    """The share of the lead lost without the more needed head of a layer, a median."""
    heads = slice(2 * layer, 2 * layer + 2)
    return lambda m: float(np.median(m["lost_without"][learned(m), heads].max(1)))


def share(m: Measurements, *parts: str) -> float:
    """Of the seed's four networks, how many have these parts in their signature."""
    found = [all(p in signature(m, net) for p in parts) for net in NETWORKS]
    return float(np.mean(found))


# fmt: off
CLAIMS = [
    Claim("seen", lambda m: float(m["seen"].min()), above(0.8), "",
          "Each of the four networks names the other person in more than four of five prompts of pairs it has met."),
    Claim("new", lambda m: float(np.median(m["accuracy"])), above(0.7), "",
          "Of pairs that training never showed, it is right in more than seven prompts of ten."),
    Claim("a-place", lambda m: m["a_place"], below(0.42), "",
          "No rule that names the person in a fixed place is right much more often than one time in three."),
    Claim("from-odd", middle("parts", ODD), above(0.35), "of the lead",
          "More than a third of the lead is read from where the name that stands alone is (median network)."),
    Claim("from-repeats", repeats, below(0.2), "of the lead",
          "Less than a fifth of it is read from the two places of the repeated name (median network)."),
    Claim("copied", copied(ODD, 0), above(0.75), "",
          "Of what layer 2 writes where the odd name stands, along the two names, at least three quarters is that "
          "name, with a plus (median network)."),
    Claim("copied-too", copied(LATER, 1), above(0.3), "",
          "At the repeated name's second mention it writes the repeated name, and with a plus (median network)."),
    Claim("from-words", middle("parts", WORD), above(0.1), "of the lead",
          "A part of the lead is read from words that are no names."),
    Claim("blind-odd", cost("blind_odd"), above(0.1), "",
          "Blind to the name that stands alone, a network is right in at least 10 prompts of 100 fewer."),
    Claim("blind-repeats", cost("blind_twice"), below(0.08), "",
          "Blind to both places of the repeated name, it is right in at most 8 of 100 fewer."),
    Claim("end", worst("spots", END, np.min), above(0.6), "of the lead",
          "What layer 1 writes at the last token decides: exchanged alone, it takes six tenths of the lead with it."),
    Claim("detector", middle("spots", LATER), below(0.15), "of the lead",
          "What it writes at the repeated name's second mention takes less than a seventh (median network)."),
    Claim("looks-back", lambda m: float(m["looks_back"][learned(m)].max()), below(0.5), "",
          "No head of layer 1 gives half of its attention from the repeated name's second mention to its first."),
    Claim("gathers", gathered, above(0.45), "",
          "In layer 1 the last token gives more than 0.45 of its attention to the three names (median network); evenly "
          "it would be a third."),
    Claim("attends", among_names, above(0.6), "",
          "Of layer 2's attention to the three names more than six tenths are on the one that stands alone (median)."),
    Claim("marked", middle("spots", ODD), above(0.1), "of the lead",
          "What it writes at the name that stands alone takes more than a tenth of the lead."),
    Claim("query", middle("ways", 0), above(0.65), "of the lead",
          "Through layer 2's queries alone the exchange takes most of the lead."),
    Claim("first-head", needed_head(0), above(0.7), "of the lead",
          "Without the more needed head of layer 1 more than seven tenths of the lead are gone."),
    Claim("last-head", needed_head(1), below(0.6), "of the lead",
          "Without the more needed head of layer 2 less than six tenths are gone."),
    Claim("thrice", middle("thrice"), above(0.8), "",
          "With one person named three times, as never in training, it names the other in more than four of five."),
    Claim("people", middle("people"), above(0.75), "",
          "Of three people it names one of the two who are named once, in more than three prompts of four."),
    Claim("no-detector", lambda m: share(m, "no detector"), above(0.4), "",
          "Half of a seed's networks or more have no detector at the second mention.", digits=3),
    Claim("no-suppressor", lambda m: share(m, "suppresses"), below(0.2), "",
          "No network of a seed reads most of the lead from the repeated name: none suppresses it there.", digits=3),
    Claim("commonest", lambda m: share(m, "copies", "no detector", "odd one prepared"), above(0.4), "",
          "Two of a seed's four networks or more have the commonest of the signatures.", digits=3),
    Claim("apart-start", lambda m: apart(m, SAME_START), above(0.04), "of the lead",
          "Networks of one start and two orders of data place more than a 25th of the lead differently (mean of two)."),
    Claim("apart-data", lambda m: apart(m, SAME_DATA), above(0.04), "of the lead",
          "Networks of two starts and one order place more than a 25th of it differently (mean of two)."),
]
# fmt: on
