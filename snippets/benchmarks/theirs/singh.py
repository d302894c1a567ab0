"""The authors' samplers, network and update, in their loop for the main run, on features that we draw.

Their features come from pictures and are not released; ours are numbers from a normal law, in the same shape.

Source: singh2024, released code: first command of ih_paper_runs.sh, and main.py.
"""

import argparse
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

CLASSES, EXEMPLARS, FEATURES = 1623, 5, 512
N_TEST = 1000
COMMAND = (
    "--pt_burstiness 1 --mixing_coeffs 1.0 --train_context_len 2 --train_bs 32 --train_microbs 32 --lr 0.00001 "
    "--fs_relabel 5 --fs_relabel_split 8 2 0 --class_split 50 1473 100 --exemplar_split 1 4 0 --d_model 64 "
    "--model_output_classes 5"
)


class Trainer:
    """One network of theirs."""

    def __init__(self, seed: int, rate: float | None = None) -> None:
        import equinox  # type: ignore[import-not-found]
        import main  # type: ignore[import-not-found]
        import main_utils  # type: ignore[import-not-found]
        import opto  # type: ignore[import-not-found]

        parser: argparse.ArgumentParser = main_utils.create_parser()
        options = parser.parse_args([*COMMAND.split(), "--init_seed", str(seed)])
        options.lr = rate or options.lr
        self.main, self.options = main, options
        features = np.random.default_rng(seed).standard_normal((CLASSES, EXEMPLARS, FEATURES), dtype=np.float32)
        self.features = jnp.asarray(features)
        splits = main_utils.get_splits_from_opts(options, features.shape)
        self.draw = self.sampler(splits, options.train_bs)
        self.test = self.sampler(splits, N_TEST)(jax.random.PRNGKey(seed + 1))
        self.forward = opto.make_fn_from_opts(options)
        self.network = main_utils.get_model_from_opts(options, input_shape=(FEATURES,))
        self.optimiser = main_utils.get_optimizer_from_opts(options)
        self.state = self.optimiser.init(equinox.filter(self.network, equinox.is_array))
        self.data_key, self.network_key = jax.random.split(jax.random.PRNGKey(seed + 10_000))

    def sampler(self, splits: dict[str, Any], count: int) -> Any:
        """Sequences of training classes, as the main run draws them."""
        import samplers  # type: ignore[import-not-found]

        o, classes = self.options, splits["class"]["train"]
        bursts = partial(
            samplers.get_constant_burst_seq_idxs,
            classes=classes,
            class_distr=jnp.ones(len(classes)) / len(classes),
            num_seqs=count,
            context_len=o.train_context_len,
            burstiness=o.pt_burstiness[0],
            distractor=1,
            no_support=0,
            unique_rest=0,
        )
        mixed = partial(
            samplers.get_mixed_seq_idxs, mix_probabilities=jnp.array(o.mixing_coeffs), mix_substrate_fns=[bursts]
        )
        exemplars = partial(samplers.get_exemplar_inds, allowed_inds=splits["exemplar"]["train"])
        sample = samplers.make_data_sampler(mixed, exemplars, fs_relabel=splits["relabeling"]["train"])
        return jax.jit(partial(sample, data=self.features))

    def step(self) -> None:
        self.data_key, now = jax.random.split(self.data_key)
        batch = self.draw(now)
        self.network_key, now = jax.random.split(self.network_key)
        _, self.network, self.state = self.main.train_step(
            model=self.network,
            fwd_fn=self.forward,
            optimizer=self.optimiser,
            opt_state=self.state,
            microbs=self.options.train_microbs,
            weight_decay=self.options.weight_decay,
            x=batch["examples"],
            y=batch["labels"],
            key=now,
        )

    def evaluate(self, batch: Any) -> dict[str, Any]:
        """Their measures, a number for each sequence."""
        return self.main.eval_step(
            self.network, self.forward, batch["examples"], batch["labels"], jax.random.PRNGKey(0)
        )

    def look(self) -> float:
        """Accuracy on sequences of the training classes."""
        return float(self.evaluate(self.test)["acc"].mean())

    def finish(self) -> None:
        jax.block_until_ready(jax.tree_util.tree_leaves(self.state))


def trainer(seed: int, modules: str, rate: float | None = None) -> Trainer:
    return Trainer(seed, rate)


def weigh(theirs: Trainer, file: str) -> float:
    """Write the weights, the features and some sequences, as ours names them, and give the loss on them."""
    network, batch = theirs.network, theirs.test
    first, last = network.transformer.blocks
    arrays: dict[str, Any] = {"W_items": network.example_embed.weight.T, "b_items": network.example_embed.bias}
    arrays |= {"W_labels": network.label_embed.weight.T, "W_U": network.unembed.weight.T, "b_U": network.unembed.bias}
    arrays |= {"W_QKV": first.attn.qkv.weight.T, "W_O": first.attn.proj.weight.T, "W_O_last": last.attn.proj.weight.T}
    arrays["W_Q"], arrays["W_KV"] = jnp.split(last.attn.qkv.weight.T, [theirs.options.d_model], axis=1)
    for i, norm in enumerate((first.norm1, last.norm1, network.transformer.norm)):
        arrays |= {f"gain_{i}": norm.weight, f"shift_{i}": norm.bias}
    shown = theirs.features[: theirs.options.class_split[0], 0]  # of the training classes
    items = np.asarray((batch["examples"] @ shown.T).argmax(-1))  # which class each is
    labels = np.asarray(batch["labels"])
    ids = np.stack([items[:, 0], len(shown) + labels[:, 0], items[:, 1], len(shown) + labels[:, 1], items[:, 2]])
    arrays |= {"features": shown, "ids": ids.astype(np.int64), "answers": labels[:, -1].astype(np.int64)}
    np.savez(file, **arrays)
    return float(theirs.evaluate(batch)["loss"].mean())
