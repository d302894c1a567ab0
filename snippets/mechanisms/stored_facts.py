"""Which part of a network holds what it remembers, and which brings what it has just read?

Source: the networks and prompts are those of weights_or_context. Facts as what MLPs store:
geva2021 and meng2022; asking it of parts that are off, or never were, is ours.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.networks.switched_off import KINDS, Part, SwitchedOff
from snippets.icl.streams import streams
from snippets.icl.tasks.symbols import Vocabulary, ask
from snippets.icl.training.fresh_batches import train, trained
from snippets.icl.training.symbol_training import share
from snippets.icl.training.usual_and_new import Config as Usual
from snippets.icl.training.usual_and_new import World


@dataclass(frozen=True, kw_only=True)
class Config(Usual):
    new_share: float = 0.5  # half of the prompts from memory, half from the prompt
    without: str = ""  # the kind of part that the network never had


PRESETS = {
    "laptop": {
        "whole": Config(),
        "no-mlp": Config(without="mlp"),
        "no-attention": Config(without="attention"),
    }
}


# --8<-- [start:without]
def fitted(c: Config, weights: Generator, world: World) -> MaskedTransformer:
    """A network trained without one kind of part: all that it could write stays 0."""
    network = MaskedTransformer(2 * c.d, c.d, c.d_model, c.n_layers, c.n_heads, weights)
    writers = {"attention": [*network.W_O], "mlp": [*network.W_down], "": []}
    for W in writers[c.without]:
        W.requires_grad_(False).zero_()

    def batch_loss() -> Float[Tensor, ""]:
        vocabulary, prompt, answer = world.training_prompts()
        logits = ask(network, vocabulary, prompt)
        return F.cross_entropy(logits.flatten(0, 1), answer.flatten())

    return trained(network, train(network, batch_loss, c.n_steps, c.learning_rate))


# --8<-- [end:without]


# --8<-- [start:ask]
def asked(network: MaskedTransformer, world: World, off: set[Part]) -> dict[str, float]:
    """With these parts off: how often it gives the usual label of an item that is not
    shown, and how often it repeats one wrong label among usual ones."""
    answers, words = SwitchedOff(network, off), Vocabulary(world.items, world.labels)
    prompt, usual = world.test_prompts(shown=False)
    remembers = share(ask(answers, words, prompt), usual)
    prompt, usual = world.test_prompts(shown=True)
    one_wrong, says = world.flipped(prompt, usual, all_pairs=False)
    return {
        "remembers": remembers,
        "reads": share(ask(answers, words, one_wrong), says),
    }


# --8<-- [end:ask]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, fixed, data, test = streams(seed, 4)
    world = World(config, fixed, data)
    network = fitted(config, weights, world)
    world.generator = test  # prompts that training did not draw
    layers = range(config.n_layers)
    switched: dict[str, set[Part]] = {"": set()}
    for kind in KINDS:
        switched[f"_{kind}"] = {(layer, kind) for layer in layers}
        switched |= {f"_{kind}_{layer + 1}": {(layer, kind)} for layer in layers}
    return {
        f"{answer}{off}": value
        for off, parts in switched.items()
        for answer, value in asked(network, world, parts).items()
    }


# --8<-- [end:run]
def left(m: Measurements, answer: str, off: str) -> float:
    """The share of right answers that is left in the whole network, with parts off."""
    return float(m["whole"][f"{answer}_{off}"])


# fmt: off
CLAIMS = [
    Claim("whole", lambda m: min(m["whole"]["remembers"], m["whole"]["reads"]), above(0.9), "",
          "The whole network gives the usual label where the item is not shown, and repeats a single wrong pair, "
          "each in more than 9 of 10 prompts.", digits=3),
    Claim("mlps-remember", lambda m: left(m, "remembers", "mlp"), below(0.3), "",
          "With both MLPs off, it remembers the usual label in fewer than 3 of 10 prompts.", digits=3),
    Claim("mlps-not-read", lambda m: left(m, "reads", "mlp"), above(0.85), "",
          "With both MLPs off, it still reads the wrong pair in more than 85 of 100.", digits=3),
    Claim("attention-reads", lambda m: left(m, "reads", "attention"), below(0.1), "",
          "With attention off in both layers, it reads the wrong pair in fewer than 1 of 10 prompts.", digits=3),
    Claim("attention-remembers", lambda m: left(m, "remembers", "attention"), below(0.7), "",
          "With attention off it also forgets: it remembers in fewer than 7 of 10 prompts, though the item that is "
          "asked for stands in the token itself.", digits=3),
    Claim("first-mlp", lambda m: left(m, "remembers", "mlp_2") - left(m, "remembers", "mlp_1"), above(0.5),
          "of answers",
          "What it remembers hangs on the first MLP: with the second off it remembers more than 0.5 of all "
          "prompts better than with the first off."),
    Claim("never-had-mlps", lambda m: m["no-mlp"]["remembers"], above(0.95), "",
          "A network that never had an MLP remembers the usual label in more than 95 of 100 prompts.", digits=3),
    Claim("never-had-reads", lambda m: m["no-mlp"]["reads"], above(0.8), "",
          "And it reads a single wrong pair in more than 8 of 10.", digits=3),
    Claim("only-mlps", lambda m: m["no-attention"]["remembers"], above(0.95), "",
          "A network that never had attention remembers the usual label in more than 95 of 100 prompts.", digits=3),
    Claim("only-mlps-deaf", lambda m: m["no-attention"]["reads"], below(0.05), "",
          "It reads the wrong pair in fewer than 5 of 100: nothing brings it there.", digits=3),
]
# fmt: on
