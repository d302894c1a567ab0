"""When does a network that predicts the next token grow an induction head?

Source: olsson2022 (arguments 1 to 3: the phase change, smeared keys, ablations) and
elhage2021 (circuits, K-composition, eigenvalues). Here: sequences made for the purpose
instead of text, 32 tokens instead of 65,536, a context of 64 instead of 8,192, two
heads of 32 dimensions a layer instead of twelve. Positions are one learned number per
head and distance; these, and the gates of smeared keys, learn 20 times as fast as the
matrices. So there is no `paper` preset: the sources' data are not ours to remake.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from snippets.contract import (
    NOT_REPRODUCED,
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    at_least,
    at_most,
    below,
)
from snippets.icl.measures import (
    icl_score,
    prefix_matching,
    previous_token,
    random_repeats,
)
from snippets.icl.networks.circuits import ablations, circuits, composition, roles
from snippets.icl.networks.small_transformer import SmallTransformer
from snippets.icl.streams import streams
from snippets.icl.tasks.repeated_segments import Batch, Task, World, context_free
from snippets.progress import steps


# --8<-- [start:config]
@dataclass(frozen=True)
class Config:
    task: Task = field(default_factory=Task)
    d_model: int = 64
    n_heads: int = 2
    learning_rate: float = 3e-3
    faster: float = 20.0  # the rate of distances and gates, in units of learning_rate
    weight_decay: float = 0.01  # of matrices; none on distances and gates
    warm_up: int = 50  # steps
    batch: int = 32
    n_steps: int = 450
    evaluate_every: int = 15
    n_test: int = 128


PRESETS = {"laptop": Config()}

# layers, and whether the keys are smeared
NETWORKS = {"one": (1, False), "smeared": (1, True), "two": (2, False)}
# --8<-- [end:config]

LEARNED = 45  # the step at which curves start to be read: the table is nearly known
EARLY, LATE = slice(2, 10), slice(-8, None)  # positions that the ICL score compares

NAMES = "abcdefghijklmnopqrstuvwxyzABCDEF"  # of the 32 tokens
PROBE = "questionxbkwquestion"  # a segment of eight tokens, other ones, and again


# --8<-- [start:evaluate]
def losses(logits: Float[Tensor, "batch pos n_vocab"], test: Batch) -> list[float]:
    """Mean loss on the repeats and on the background, and the ICL score."""
    loss = F.cross_entropy(logits.mT, test.wanted, reduction="none")  # (batch, pos)
    repeats, background = loss[test.repeats].mean(), loss[test.background].mean()
    return [float(v) for v in (repeats, background, icl_score(loss, EARLY, LATE))]


@torch.no_grad()
def evaluate(network: SmallTransformer, test: Batch) -> dict[str, np.ndarray]:
    logits, patterns = network(test.read)
    _, probe = network(torch.tensor([[NAMES.index(name) for name in PROBE]]))
    by_layer = [prefix_matching(p, test.read, test.repeats) for p in patterns]
    return {
        "losses": np.array(losses(logits, test)),
        "prefix": torch.stack(by_layer).numpy(),  # (layer, head)
        "previous": torch.stack([previous_token(p) for p in patterns]).numpy(),
        "itself": np.array(
            [p.diagonal(0, 2, 3).mean((0, 2)).numpy() for p in patterns]
        ),
        "probe": torch.cat(probe).numpy(),  # (layer, head, query, key)
    }


# --8<-- [end:evaluate]


# --8<-- [start:train]
def train(
    config: Config, network: SmallTransformer, data: Batch, test: Batch, loop: int
) -> dict[str, np.ndarray]:
    """Next-token prediction at every position; each sequence is seen once."""
    optimizer = network.optimizer(
        config.learning_rate, config.faster, config.weight_decay
    )
    warm_up = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / config.warm_up)
    )
    history = [{"step": np.array(0), **evaluate(network, test)}]
    for step in steps(config.n_steps, loop=loop, of=len(NETWORKS)):
        now = slice(step * config.batch, (step + 1) * config.batch)
        logits, _ = network(data.read[now])
        loss = F.cross_entropy(logits.mT, data.wanted[now])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1)
        optimizer.step()
        warm_up.step()
        if (step + 1) % config.evaluate_every == 0:
            history.append({"step": np.array(step + 1), **evaluate(network, test)})
    return {name: np.stack([h[name] for h in history]) for name in history[0]}


# --8<-- [end:train]


def moments(curves: dict[str, np.ndarray]) -> list[int]:
    """Before, during and after the fall, as places on the curves."""
    step, loss = curves["step"], curves["losses"][:, 0]
    before = int(np.flatnonzero(step == LEARNED)[0])
    during = int(np.flatnonzero(step == half_way(step, loss))[0])
    return [before, during, len(step) - 1]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    task = config.task
    table, training, held_out, random, weights, baseline = streams(seed, 6)
    world = World(task, table)
    data = world.draw(config.n_steps * config.batch, training)  # for all networks
    test = world.draw(config.n_test, held_out)
    random_tokens = random_repeats(task.n_vocab, task.n_tokens // 4, 4, 64, random)

    # what the best table of bigrams scores, which reads no context at all
    found: dict[str, np.ndarray | float] = {
        "entropy": world.entropy(),
        "table": np.array(losses(context_free(data, task.n_vocab)[test.read], test)),
    }
    for loop, (name, (n_layers, smeared)) in enumerate(NETWORKS.items()):
        shape = (n_layers, task.n_vocab, task.n_tokens, config.d_model, config.n_heads)
        network = SmallTransformer(*shape, weights, smeared)
        curves = train(config, network, data, test, loop)
        heads = roles(curves)
        with torch.no_grad():
            _, patterns = network(random_tokens)
            after = [float(prefix_matching(p, random_tokens).max()) for p in patterns]
        measured: dict[str, np.ndarray | float] = {
            **curves,
            **circuits(network, heads),
            "heads": np.array(heads)[..., 1],  # (layer, rank): which head it is
            "ablated": ablations(
                network, heads, test.read, lambda logits: losses(logits, test)
            ),
            "prefix_random": max(after),
            "n_parameters": sum(p.numel() for p in network.parameters()),
        }
        if n_layers == 1:  # what only two layers are drawn with
            for key in ("probe", "QK_plain", "OV_plain"):
                del measured[key]
        else:
            measured["probe"] = curves["probe"][moments(curves)].astype(np.float16)
            measured |= composition(network, heads, baseline)
        found |= {f"{name}_{key}": value for key, value in measured.items()}
    return found | summary(found)


# --8<-- [end:run]


def repeats(m: Measurements, name: str) -> np.ndarray:
    """Loss on the repeats, over training."""
    return m[f"{name}_losses"][:, 0]


def best_prefix(m: Measurements, name: str) -> np.ndarray:
    """Prefix matching of the best head, over training."""
    return m[f"{name}_prefix"].max((1, 2))


def half_way(step: np.ndarray, curve: np.ndarray) -> float:
    """The step at which a curve is for the first time half way from its value when the
    table was learned to its last."""
    start, end = curve[step == LEARNED][0], curve[-1]
    share = (curve - start) / (end - start)
    return float(step[(share >= 0.5) & (step > LEARNED)][0])


def steepest(m: Measurements, name: str, width: int = 45) -> float:
    """Most nats that the loss on repeats loses within `width` steps."""
    step, loss = m[f"{name}_step"], repeats(m, name)
    lag = int(width // (step[1] - step[0]))
    drops = loss[:-lag] - loss[lag:]
    return float(drops[step[:-lag] >= LEARNED].max())


def summary(m: Measurements) -> dict[str, float]:
    """Numbers that the page prints beside its claims."""
    found = {"table_icl": float(m["table"][2])}
    for name in NETWORKS:
        end, background, icl = (float(v) for v in m[f"{name}_losses"][-1])
        found |= {f"{name}_end": end, f"{name}_background": background}
        found |= {f"{name}_icl": icl, f"{name}_icl_own": icl - found["table_icl"]}
    for name in ("smeared", "two"):
        found[f"{name}_half_way"] = half_way(m[f"{name}_step"], repeats(m, name))
        for key in ("match_plain", "match", "copy_plain", "copy"):
            found[f"{name}_{key}_best"] = float(m[f"{name}_{key}"][0])
    found["two_prefix_half_way"] = half_way(m["two_step"], best_prefix(m, "two"))
    carrier, rewriter = m["two_heads"][0, :2]
    found["two_previous_end"] = float(m["two_previous"][-1, 0, carrier])
    found["two_itself_end"] = float(m["two_itself"][-1, 0, rewriter])
    places = (
        ("without_previous", "two", 0, 0),
        ("without_rewriting", "two", 0, 1),
        ("without_best", "two", 1, 0),
        ("without_other", "two", 1, 1),
        ("without_layer", "two", 1, -1),
        ("smeared_without_best", "smeared", 0, 0),
        ("smeared_without_other", "smeared", 0, 1),
    )
    for key, name, layer, which in places:
        full, kept = m[f"{name}_ablated"][layer, which]
        found[key], found[f"{key}_background"], found[f"{key}_icl"] = map(float, full)
        found[f"{key}_kept"] = float(kept[0])
    return found


def apart(m: Measurements) -> float:
    """Steps between the half-way marks of the loss on repeats and of prefix matching,
    in two layers."""
    return abs(m["two_half_way"] - m["two_prefix_half_way"])


def kept_against_cut(m: Measurements) -> float:
    """The rise of the loss on repeats without the previous-token head, patterns kept, as
    a share of the rise with nothing kept; infinity where that is 2 nats or less."""
    rise = m["without_previous"] - m["two_end"]
    kept = m["without_previous_kept"] - m["two_end"]
    return kept / rise if rise > 2 else np.inf


def share_of_score(m: Measurements) -> float:
    """The share of the ICL score, above the table's, that goes with the heads of layer
    2; 0 where the loss on the background changes by 0.4 nats or more."""
    change = m["without_layer_background"] - m["two_background"]
    left = (m["without_layer_icl"] - m["table_icl"]) / m["two_icl_own"]
    return 1 - left if abs(change) < 0.4 else 0.0


# fmt: off
CLAIMS = [
    Claim("one-layer", lambda m: m["one_end"], above(3.27), "nats",
          "One layer ends at most 0.2 nats below ln V, the least loss without the context: above 3.27 nats.",
          Reported("olsson2022", "argument 1", "models of one layer lack the phase change", SMALLER), digits=3),
    Claim("sharp", lambda m: steepest(m, "two"), above(1.0), "nats",
          "Two layers lose more than a nat on the repeats within 45 steps.",
          Reported("olsson2022", "argument 1", "a phase change early in training, from two layers on", SMALLER)),
    Claim("smeared", lambda m: (m["smeared_half_way"] / m["two_half_way"] if m["smeared_end"] < 1.3 else np.inf),
          below(0.9), "of the steps that two layers take",
          "One layer with smeared keys ends below 1.3 nats too, and is half way down in less than 0.9 of the "
          "steps that two layers take.",
          Reported("olsson2022", "argument 2", "with smeared keys one layer shows the phase change", SMALLER)),
    Claim("icl", lambda m: m["one_icl"] - m["two_icl"], above(0.6), "nats lower",
          "The ICL score of two layers is more than 0.6 nats below that of one."),
    Claim("one-icl", lambda m: m["one_icl_own"], above(-0.2), "nats",
          "Of one layer's ICL score less than 0.2 nats are its own: the rest is the table's."),
    Claim("together", apart, at_most(45), "steps",
          "In two layers, prefix matching and the loss on repeats are half way within 45 steps of each other.",
          Reported("olsson2022", "argument 1", "induction heads form in the same window of training", SMALLER)),
    Claim("previous", kept_against_cut, below(0.25), "times the rise",
          "Without the previous-token head the loss on repeats rises by more than 2 nats; with the patterns "
          "kept, by less than a quarter of that."),
    Claim("carry", share_of_score, above(0.5), "of the ICL score",
          "Without the heads of layer 2 more than half of the ICL score beyond the table's is gone, and the "
          "loss on the background changes by less than 0.4 nats.",
          Reported("olsson2022", "argument 3", "ablating induction heads removes nearly all of it", SMALLER)),
    Claim("composes", lambda m: (m["two_composition"][0, 0] if m["two_composition"][0, 1] < 0 else 0.0),
          at_least(0.04), "above random",
          "The keys of the best induction head see what the previous-token head writes: K-composition is at "
          "least 0.04 above random heads, and below random for the other head of layer 1.",
          Reported("elhage2021", "two-layer models: induction heads", "they K-compose with layer 1", SMALLER)),
    Claim("copies-plain", lambda m: m["two_copy_plain_best"], below(0.9), "",
          "On the direct path from the embedding, the copying score of the best induction head is below 0.9.",
          Reported("elhage2021", "two-layer models: checking the mechanistic theory",
                   "induction heads stand in the corner where both scores are near 1", NOT_REPRODUCED)),
    Claim("copies-rewritten", lambda m: min(m["two_copy_best"], m["two_match_best"]), above(0.9), "",
          "On tokens as layer 1 rewrites them, the best induction head's copying and matching scores are "
          "both above 0.9."),
]
# fmt: on
