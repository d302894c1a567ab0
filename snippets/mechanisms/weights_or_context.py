"""Where does a network have an answer from: its weights, or its prompt?

Source: the task is ours. What is asked of the trained networks follows wei2023 (labels
flipped; labels without meaning), reddy2024 (figure 1d: context against memory) and
chan2022 (figure 1: unseen classes; queries that are not in the context).
"""

from snippets.contract import Claim, Measurements, above, at_most
from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.streams import streams
from snippets.icl.tasks.symbols import Vocabulary, ask, new_tasks, pick, show, shuffled
from snippets.icl.training.symbol_training import fit, share
from snippets.icl.training.usual_and_new import Config, World

PRESETS = {
    "laptop": {
        "weights": Config(new_share=0.0),
        "context": Config(new_share=1.0),
        "both": Config(new_share=0.5),
    }
}


# --8<-- [start:evaluate]
def evaluate(network: MaskedTransformer, world: World) -> dict[str, float]:
    """How often the answer is that of the memory, or that of the prompt."""
    c, g = world.config, world.generator
    words = Vocabulary(world.items, world.labels)
    prompt, usual = world.test_prompts(shown=False)
    result = {"silent_memory": share(ask(network, words, prompt), usual)}
    changed, _ = world.flipped(prompt, usual, all_pairs=True)
    result["silent_flipped"] = share(ask(network, words, changed), usual)

    prompt, usual = world.test_prompts(shown=True)
    result["agree"] = share(ask(network, words, prompt), usual)
    # --8<-- [start:contradict]
    for name, all_pairs in (("flipped", True), ("lie", False)):
        changed, says = world.flipped(prompt, usual, all_pairs)
        logits = ask(network, words, changed)
        result[f"{name}_prompt"] = share(logits, says)
        result[f"{name}_memory"] = share(logits, usual)
    # --8<-- [end:contradict]

    kinds = {
        "new_items": (True, False),
        "new_labels": (False, True),
        "all_new": (True, True),
    }
    for name, (items, labels) in kinds.items():
        vocabulary, first = world.unseen(items, labels)
        tasks = first + new_tasks(c.n_test, c.n_items, c.n_labels, g)
        order = shuffled(c.n_items, c.n_test, g)
        prompt, says = show(tasks, *pick(order, c.n_pairs, 1, 1.0, g))
        result[name] = share(ask(network, vocabulary, prompt), says)
    return result


# --8<-- [end:evaluate]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, fixed, data, test = streams(seed, 4)
    world = World(config, fixed, data)
    network = fit(config, weights, world.training_prompts)
    world.generator = test  # prompts that training did not draw
    n_parameters = sum(p.numel() for p in network.parameters())
    return {**evaluate(network, world), "n_parameters": n_parameters}


# --8<-- [end:run]
def above_chance(m: Measurements) -> float:
    """How far a network that saw no usual label is from guessing them."""
    chance = 1 / PRESETS["laptop"]["context"].n_labels
    return abs(m["context"]["silent_memory"] - chance)


# fmt: off
CLAIMS = [
    Claim("weights-win", lambda m: m["weights"]["flipped_memory"], above(0.95), "",
          "Trained on labels that never change, it answers more than 95 in 100 contradicting prompts with "
          "the label of training.",
          digits=3),
    Claim("context-wins", lambda m: m["context"]["flipped_prompt"], above(0.95), "",
          "Trained on labels that are new in every prompt, it answers more than 95 in 100 contradicting "
          "prompts with the label of the prompt.",
          digits=3),
    Claim("both-follows", lambda m: m["both"]["flipped_prompt"], above(0.9), "",
          "Trained on both kinds, it follows more than 9 in 10 contradicting prompts, though no prompt of "
          "its training contradicted its weights.",
          digits=3),
    Claim("both-remembers", lambda m: m["both"]["silent_memory"], above(0.95), "",
          "Trained on both kinds, it still knows the usual label from memory in more than 95 of 100 prompts "
          "that do not show it.",
          digits=3),
    Claim("side-by-side", lambda m: m["both"]["silent_flipped"], above(0.9), "",
          "It gives the usual label of an item that is not shown in more than 9 of 10 prompts even where all "
          "pairs that are shown have wrong labels.",
          digits=3),
    Claim("nothing-to-remember", above_chance, at_most(0.05), "",
          "Trained on new labels only, its share of usual labels where the item is not shown is within 0.05 "
          "of chance, 1/32, as it must be."),
    Claim("lie", lambda m: m["both"]["lie_prompt"], above(0.85), "",
          "Trained on both kinds, it follows a single wrong pair among seven right ones in more than 85 of "
          "100 prompts.",
          digits=3),
    Claim("new-items", lambda m: m["both"]["new_items"], above(0.95), "",
          "Trained on both kinds, it reads the label of an item that it has never seen in more than 95 of "
          "100 prompts.",
          digits=3),
    Claim("syntactic", lambda m: m["both"]["all_new"], above(0.4), "",
          "With every symbol unseen, it still gives the label of the prompt in more than 4 of 10: over "
          "two and a half times what naming any label of the prompt would give, 0.152."),
    Claim("symbols-cost", lambda m: m["both"]["new_items"] - m["both"]["all_new"], above(0.2), "of answers",
          "Unseen labels cost it accuracy: more than 0.2 of it where the items are unseen too."),
]
# fmt: on
