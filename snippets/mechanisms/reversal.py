"""Can a fact learned one way be asked the other way: from the weights, and from the prompt?

Source: berglund2024 (abstract) for the question. The task is ours: people, and teachers
and pupils among them. Not language, no fine-tuning; a network that knows nothing else.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.streams import streams
from snippets.icl.tasks.relations import UNSAID, Facts, Words, ask
from snippets.icl.tasks.symbols import points, shuffled
from snippets.icl.training.fresh_batches import train, trained
from snippets.icl.training.symbol_training import share

TEACHES, IS_TAUGHT_BY = 0, 1  # each is the other turned round


@dataclass(frozen=True)
class Config:
    n_both: int  # pairs that training asks both ways
    n_one_way: int = 32  # pairs that it asks one way only: so many each way
    n_strangers: int = 32  # people of whom only prompts tell
    n_pairs: int = 4  # in a prompt
    d: int = 24  # entries of a symbol's vector
    d_model: int = 96
    n_layers: int = 2
    n_heads: int = 2
    learning_rate: float = 3e-3
    batch: int = 32  # prompts; the facts of the weights are all asked at each step
    n_steps: int = 250
    n_test: int = 1024


PRESETS = {"laptop": {"none": Config(0), "some": Config(32), "most": Config(96)}}


# --8<-- [start:world]
class World:
    """Who teaches whom for good, and the questions that training asks about it."""

    def __init__(self, config: Config, fixed: Generator, data: Generator) -> None:
        c, self.config, self.generator = config, config, data
        n_pairs = c.n_both + 2 * c.n_one_way
        n_people = 2 * n_pairs + c.n_strangers
        self.words = Words(points(n_people, c.d, fixed), points(2, c.d, fixed))
        teacher, pupil = torch.arange(2 * n_pairs).view(2, n_pairs)
        forth = torch.stack([torch.full_like(teacher, TEACHES), teacher, pupil], 1)
        back = torch.stack([torch.full_like(teacher, IS_TAUGHT_BY), pupil, teacher], 1)
        both, only_forth, only_back = torch.arange(n_pairs).split(
            [c.n_both, c.n_one_way, c.n_one_way]
        )
        # rows (relation, person asked about, answer)
        self.trained = torch.cat([forth[: -c.n_one_way], back[both], back[only_back]])
        self.turned = torch.cat([back[only_forth], forth[only_back]])  # never asked
        self.strangers = torch.arange(2 * n_pairs, n_people)

    def prompts(self, n: int) -> tuple[Facts, Int[Tensor, "n query"]]:
        """Strangers, paired anew: n_pairs facts, told either way, each asked both ways.
        Nobody's answer can be known before."""
        c, g = self.config, self.generator
        who = self.strangers[shuffled(c.n_strangers, n, g)[:, : 2 * c.n_pairs]]
        return told(who[:, : c.n_pairs], who[:, c.n_pairs :], g)

    def remembered(self, n: int) -> tuple[Facts, Int[Tensor, "n pair"]]:
        """Facts that the weights keep one way, told that way in a prompt and asked the
        other way."""
        c = self.config
        rows = self.turned[shuffled(len(self.turned), n, self.generator)]
        named, asked, answer = rows[:, : c.n_pairs].unbind(-1)
        said = torch.full_like(asked, UNSAID)
        stated = torch.stack([answer, 1 - named, asked, said], -1)
        return Facts(stated, torch.stack([named, asked], -1)), answer


def told(
    teacher: Int[Tensor, "n pair"], pupil: Int[Tensor, "n pair"], generator: Generator
) -> tuple[Facts, Int[Tensor, "n two_pairs"]]:
    """Facts, each told one way, drawn evenly, and asked both ways: first as it was
    told, then the other way round."""
    if teacher.numel() == 0:
        raise ValueError(
            "no pairs: a relation without pairs has nothing to tell or ask"
        )
    turned = torch.rand(teacher.shape, generator=generator) < 0.5
    a, b = torch.where(turned, pupil, teacher), torch.where(turned, teacher, pupil)
    named = torch.where(turned, IS_TAUGHT_BY, TEACHES)
    stated = torch.stack([a, named, b, torch.full_like(a, UNSAID)], -1)
    as_told, other_way = torch.stack([named, a], -1), torch.stack([1 - named, b], -1)
    return Facts(stated, torch.cat([as_told, other_way], 1)), torch.cat([b, a], 1)


# --8<-- [end:world]


def from_memory(
    rows: Int[Tensor, "row 3"],
) -> tuple[Facts, Int[Tensor, "row 1"]]:
    """Questions with no fact in the prompt."""
    nothing = torch.zeros(len(rows), 0, 4, dtype=torch.long)
    return Facts(nothing, rows[:, None, :2]), rows[:, 2:]


# --8<-- [start:run]
def fit(config: Config, world: World, weights: Generator) -> MaskedTransformer:
    """Half of the loss for what the weights must keep, half for what prompts tell."""
    c = config
    network = MaskedTransformer(4 * c.d, c.d, c.d_model, c.n_layers, c.n_heads, weights)
    memory = from_memory(world.trained)

    def loss_on(facts: Facts, answer: Int[Tensor, "n query"]) -> Float[Tensor, ""]:
        logits = ask(network, world.words, facts)
        return F.cross_entropy(logits.flatten(0, 1), answer.flatten())

    def batch_loss() -> Float[Tensor, ""]:
        return loss_on(*memory) + loss_on(*world.prompts(c.batch))

    return trained(network, train(network, batch_loss, c.n_steps, c.learning_rate))


def run(config: Config, seed: int) -> Measurements:
    weights, fixed, data, test = streams(seed, 4)
    world = World(config, fixed, data)
    network = fit(config, world, weights)
    world.generator = test

    def right(facts: Facts, answer: Int[Tensor, "n query"]) -> float:
        return share(ask(network, world.words, facts), answer)

    facts, answer = world.prompts(config.n_test)
    as_told, other_way = slice(None, config.n_pairs), slice(config.n_pairs, None)
    result = {"memory_as_told": right(*from_memory(world.trained))}
    turned, true = from_memory(world.turned)
    result["memory_other_way"] = right(turned, true)
    logits = ask(network, world.words, turned)  # who is ranked above the right one?
    above_it = logits > logits.gather(-1, true[..., None])
    result["memory_rank"] = above_it.double().mean().item()
    result["remembered_other_way"] = right(*world.remembered(config.n_test))
    for name, part in (("as_told", as_told), ("other_way", other_way)):
        asked = Facts(facts.stated, facts.asked[:, part])
        result[f"prompt_{name}"] = right(asked, answer[:, part])
    return result


# --8<-- [end:run]
# fmt: off
CLAIMS = [
    Claim("keeps", lambda m: min(m[cell]["memory_as_told"] for cell in m), above(0.97), "",
          "Asked as it was trained, each network knows more than 97 in 100 of the facts that its weights keep."),
    Claim("curse", lambda m: max(m[cell]["memory_other_way"] for cell in m), below(0.05), "",
          "Asked the other way, none of them knows 5 in 100 of the facts that it was asked one way only."),
    Claim("no-trace", lambda m: min(m[cell]["memory_rank"] for cell in m), above(0.3), "of the people",
          "Nor is the right answer near the top: more than three tenths of all people are ranked above it."),
    Claim("prompt", lambda m: min(m[cell]["prompt_other_way"] for cell in m), above(0.95), "",
          "A fact of strangers that the prompt tells one way is answered the other way in more than 95 of 100 cases."),
    Claim("prompt-as-told", lambda m: min(m[cell]["prompt_as_told"] for cell in m), above(0.95), "",
          "Asked as it was told, in more than 95 of 100 too."),
    Claim("lifted", lambda m: min(m[cell]["remembered_other_way"] for cell in m), above(0.1), "",
          "A fact kept one way and told that way in the prompt is answered the other way in more than a tenth of the "
          "cases, by each network; naming any of the four people in the right place would give a quarter, one whose "
          "fact has the fitting relation nearly half."),
    Claim("not-as-strangers", lambda m: max(m[cell]["remembered_other_way"] for cell in m), below(0.8), "",
          "But in fewer than eight tenths: these people stood in no prompt of training."),
]
# fmt: on
