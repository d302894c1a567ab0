"""How sure does a network grow along its own text, and what does a contradiction do?

Source: the experiment is ours. That a Bayesian's belief is a martingale is textbook; we
check it, and what becomes of it in a trained network.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, at_most, below, between
from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.networks.source_reader import predict, write_on
from snippets.icl.streams import streams
from snippets.icl.tasks.loaded_sources import SOURCES
from snippets.icl.theory.known_sources import (
    Prior,
    Text,
    belief,
    bets,
    mix_of,
    rows,
    write,
)
from snippets.icl.training.fresh_batches import train, trained


@dataclass(frozen=True)
class Config:
    world: str  # of SOURCES
    length: int = 48
    d_model: int = 48
    n_layers: int = 1
    n_heads: int = 2
    learning_rate: float = 5e-3
    batch: int = 48
    n_steps: int = 400
    n_told: int = 6  # symbols of a true text, before somebody writes on
    n_test: int = 512  # texts of each kind
    planted: int = 24  # where the contradiction stands, counted from 0


PRESETS = {"laptop": {"dice": Config("dice"), "chains": Config("chains")}}


class World:
    """The sources, who knows them exactly, and a network that grew up among them."""

    def __init__(self, config: Config, weights: Generator, data: Generator) -> None:
        self.config, self.sources = config, SOURCES[config.world].float()
        self.n, self.k = len(self.sources), self.sources.shape[2]
        self.prior: Prior = torch.full((self.n,), 1 / self.n)
        self.network = self.fit(weights, data)

    def fit(self, weights: Generator, data: Generator) -> MaskedTransformer:
        c, k = self.config, self.k
        size = (c.d_model, c.n_layers, c.n_heads)
        network = MaskedTransformer(2 * (k + 1), k, *size, weights)

        def batch_loss() -> Float[Tensor, ""]:
            _, text = self.texts(c.batch, data)
            log_bet = predict(network, text[:, :-1], k).log()
            return F.nll_loss(log_bet.flatten(0, 1), text.flatten())

        return trained(network, train(network, batch_loss, c.n_steps, c.learning_rate))

    def texts(self, n: int, generator: Generator) -> tuple[Int[Tensor, " n"], Text]:
        """Which source writes each text, drawn evenly, and the texts."""
        which = torch.randint(self.n, (n,), generator=generator)
        return which, write(self.sources, which, self.config.length, generator)

    def network_bets(self, text: Text) -> Float[Tensor, "n length_and_one k"]:
        return predict(self.network, text, self.k)

    def exact_bets(self, text: Text) -> Float[Tensor, "n length_and_one k"]:
        return bets(self.sources, self.prior, text)

    def exact_belief(self, text: Text) -> Float[Tensor, "n length_and_one source"]:
        return belief(self.sources, self.prior, text)

    def network_belief(self, text: Text) -> Float[Tensor, "n length_and_one source"]:
        """The mix of sources that its bets amount to."""
        table = self.sources[:, rows(text)].permute(1, 2, 0, 3)
        return mix_of(self.network_bets(text), table)


# --8<-- [start:conviction]
def conviction(world: World, generator: Generator) -> Measurements:
    """Six true symbols; then the text goes on, written in one of four ways. How sure is
    the exact reader of it, and of what?"""
    c = world.config
    which, true = world.texts(c.n_test, generator)
    told = true[:, : c.n_told]
    texts = {"true": true}
    for name, guess, temperature in (
        ("own", world.network_bets, 1.0),
        ("exact", world.exact_bets, 1.0),
        ("cold", world.network_bets, 0.5),
    ):
        texts[name] = write_on(guess, told, c.length, generator, temperature)
    favourite = world.exact_belief(told)[:, -1].argmax(-1)
    result: dict[str, Any] = {}
    for name, text in texts.items():
        believed = world.exact_belief(text)[:, c.n_told :]
        result[f"{name}_sure"] = curve(believed.amax(-1))
        result[f"{name}_right"] = curve(in_one(believed, which))
        result[f"{name}_favourite"] = curve(in_one(believed, favourite))
        bet = world.network_bets(text)[:, c.n_told :]
        result[f"{name}_entropy"] = curve(torch.special.entr(bet).sum(-1))
        last = believed[:, -1]
        wrong = (last.argmax(-1) != which) & (last.amax(-1) > 0.9)
        result[f"{name}_sure_and_wrong"] = wrong.float().mean().item()
    return result


# --8<-- [end:conviction]


def curve(values: Float[Tensor, "n length"]) -> np.ndarray:
    return values.mean(0).numpy().astype("float32")


def in_one(
    believed: Float[Tensor, "n length source"], which: Int[Tensor, " n"]
) -> Float[Tensor, "n length"]:
    """The belief in one source of each text."""
    at = which[:, None, None].expand(-1, believed.shape[1], 1)
    return believed.gather(2, at)[..., 0]


# --8<-- [start:contradict]
def contradict(world: World, generator: Generator) -> Measurements:
    """Texts of the first source, then of the second, with its unlikeliest symbol put in
    one place. The first forbids that symbol."""
    c, result = world.config, {}
    for source, name in enumerate(("forbidden", "unlikely")):
        which = torch.full((c.n_test,), source)
        plain = write(world.sources, which, c.length, generator)
        text = plain.clone()
        row = plain[:, c.planted - 1] + 1  # what may follow the symbol before
        chances = world.sources[source, row]
        text[:, c.planted] = least = chances.argmin(-1)
        most = chances.argmax(-1)
        for who, believed, bet in (
            ("exact", world.exact_belief(text), world.exact_bets(text)),
            ("network", world.network_belief(text), world.network_bets(text)),
        ):
            result[f"{name}_{who}_belief"] = curve(believed[..., source])
            if c.world == "dice":
                for side, face in (("support", most), ("oppose", least)):
                    loss = -in_one(bet, face).log()
                    result[f"{name}_{who}_{side}"] = curve(loss)
    return result


# --8<-- [end:contradict]


# --8<-- [start:martingale]
def martingale(world: World, text: Text) -> float:
    """How far the belief that one expects after one more symbol, drawn from one's own
    bets, is from the belief that one has: over all symbols, none of them sampled."""
    sources, prior = SOURCES[world.config.world], world.prior.double()
    now = belief(sources, prior, text)[:, -1]
    bet = bets(sources, prior, text)[:, -1]
    expected = torch.zeros_like(now)
    for symbol in range(world.k):
        longer = torch.cat([text, torch.full_like(text[:, :1], symbol)], 1)
        expected += bet[:, symbol, None] * belief(sources, prior, longer)[:, -1]
    return (expected - now).abs().max().item()


# --8<-- [end:martingale]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, test = streams(seed, 3)
    world = World(config, weights, data)
    _, text = world.texts(config.n_test, test)
    exact, own = world.exact_bets(text), world.network_bets(text)
    gap = (torch.special.xlogy(exact, exact) - exact * own.log()).sum(-1)  # KL
    return {
        "gap": curve(gap),
        "martingale": martingale(world, text[:, : config.n_told]),
        **conviction(world, test),
        **contradict(world, test),
        "n_parameters": sum(p.numel() for p in world.network.parameters()),
    }


# --8<-- [end:run]
def gain(world: str, name: str) -> Callable[[Measurements], float]:
    """By how much a curve's end lies above its beginning."""
    return lambda m: float(m[world][name][-1] - m[world][name][0])


def end(name: str, world: str = "dice") -> Callable[[Measurements], float]:
    return lambda m: float(m[world][name][-1])


def just_after(name: str) -> Callable[[Measurements], float]:
    """With the dice, right behind the contradiction."""
    return lambda m: float(m["dice"][name][PRESETS["laptop"]["dice"].planted + 1])


def just_before(name: str) -> Callable[[Measurements], float]:
    return lambda m: float(m["dice"][name][PRESETS["laptop"]["dice"].planted])


def change(side: str) -> Callable[[Measurements], float]:
    """By how much a forbidden six makes such a throw dearer to the network."""
    name = f"forbidden_network_{side}"
    return lambda m: just_after(name)(m) - just_before(name)(m)


def above_cold(m: Measurements) -> float:
    return end("cold_favourite")(m) - end("own_favourite")(m)


def forgotten(m: Measurements) -> float:
    """How much dearer a second six is to the network than to the exact reader."""
    return end("forbidden_network_oppose")(m) - end("forbidden_exact_oppose")(m)


def off_unlikely(m: Measurements) -> float:
    """How far the network's belief is from the exact one, at most, behind an unlikely
    symbol."""
    names = ("unlikely_network_belief", "unlikely_exact_belief")
    network, exact = (
        m["dice"][n][PRESETS["laptop"]["dice"].planted + 1 :] for n in names
    )
    return float(np.abs(network - exact).max())


# fmt: off
CLAIMS = [
    Claim("martingale", lambda m: max(m["dice"]["martingale"], m["chains"]["martingale"]), at_most(1e-12), "",
          "The belief that one expects to have after one more symbol of one's own equals the belief that one has.",
          exact=True),
    Claim("close", lambda m: float(m["dice"]["gap"].max()), below(0.02), "nats",
          "Among dice the network's bets are within 0.02 nats of the exact ones at every throw (mean KL divergence)."),
    Claim("grows-sure", gain("dice", "own_sure"), above(0.2), "",
          "Along its own text the belief in the likeliest die rises by more than 0.2."),
    Claim("no-wiser", gain("dice", "own_right"), between(-0.12, 0.12), "",
          "Along its own text the belief in the die that threw the first six stays within 0.12 of where it was."),
    Claim("wiser", gain("dice", "true_right"), above(0.3), "",
          "Where that die throws on, the belief in it rises by more than 0.3."),
    Claim("sure-and-wrong", lambda m: m["dice"]["own_sure_and_wrong"], above(0.2), "",
          "After its own text more than a fifth of the texts leave a reader over 0.9 sure of a wrong die.", digits=2),
    Claim("true-and-wrong", lambda m: m["dice"]["true_sure_and_wrong"], below(0.05), "",
          "After true text fewer than 1 in 20 do."),
    Claim("cold", above_cold, above(0.03), "",
          "Written at temperature 0.5, its text moves the mean belief: what was the favourite after six throws ends "
          "more than 0.03 higher than at temperature 1."),
    Claim("leak", gain("chains", "own_right"), below(-0.05), "",
          "Among chains the network's own text drifts: the belief in the chain that began it falls by more than 0.05."),
    Claim("no-leak", gain("chains", "exact_right"), between(-0.12, 0.12), "",
          "The text that the exact predictor writes does not: it stays within 0.12."),
    Claim("falls", just_after("forbidden_network_belief"), below(0.65), "",
          "A forbidden six takes the belief in red, as the network bets, below 0.65."),
    Claim("forgives", end("forbidden_network_belief"), above(0.35), "",
          "After 23 more throws of the red die it is back above 0.35, where the exact belief is 0 for good."),
    Claim("opposes", lambda m: -change("oppose")(m), above(1), "nats",
          "The forbidden six makes a second six more than 1 nat cheaper to the network."),
    Claim("supports", change("support"), above(0.1), "nats",
          "It makes the face that red favours more than 0.1 nats dearer."),
    Claim("forgets", forgotten, above(0.5), "nats",
          "23 throws later a second six costs the network more than 0.5 nats more than the exact reader."),
    Claim("unlikely", off_unlikely, below(0.25), "",
          "After a six that blue makes unlikely but not impossible, the network's belief in blue stays within 0.25 "
          "of the exact one."),
    Claim("chain-forgives", end("forbidden_network_belief", "chains"), above(0.4), "",
          "A chain that took a forbidden step is believed again, by the network's bets, above 0.4 at the end."),
]
# fmt: on
