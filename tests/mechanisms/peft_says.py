"""Run by an interpreter that has peft: the same weights as a Llama, the same soft tokens and prefix, its logits."""

import sys

import torch
from peft import PrefixTuningConfig, PromptTuningConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


def llama(weights: dict[str, torch.Tensor], n_heads: int) -> LlamaForCausalLM:
    n_words, d = weights["W_E"].shape
    layers = sum(name.startswith("W_O.") for name in weights)
    config = LlamaConfig(
        vocab_size=n_words,
        hidden_size=d,
        intermediate_size=weights["W_up.0"].shape[1],
        num_hidden_layers=layers,
        num_attention_heads=n_heads,
        num_key_value_heads=n_heads,
        rms_norm_eps=torch.finfo(torch.float32).eps,
        tie_word_embeddings=False,
        pad_token_id=None,
        bos_token_id=None,
        eos_token_id=None,
    )
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(weights["W_E"])
        model.lm_head.weight[: weights["W_U"].shape[1]] = weights["W_U"].T
        for number, layer in enumerate(model.model.layers):
            qkv = weights[f"W_QKV.{number}"].chunk(3, 1)
            for name, W in zip(("q_proj", "k_proj", "v_proj"), qkv, strict=True):
                getattr(layer.self_attn, name).weight.copy_(W.T)
            layer.self_attn.o_proj.weight.copy_(weights[f"W_O.{number}"].T)
            for name in ("gate", "up", "down"):
                getattr(layer.mlp, f"{name}_proj").weight.copy_(weights[f"W_{name}.{number}"].T)
    return model


@torch.no_grad()
def main(path: str) -> None:
    given = torch.load(path)
    n_answers, m = given["weights"]["W_U"].shape[1], len(given["soft"])
    tokens, found = given["tokens"], {}

    def logits(model) -> torch.Tensor:
        return model(input_ids=tokens, attention_mask=torch.ones_like(tokens)).logits[:, -tokens.shape[1] :, :n_answers]

    found["plain"] = logits(llama(given["weights"], given["n_heads"]))

    tuned = get_peft_model(
        llama(given["weights"], given["n_heads"]), PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=m)
    ).eval()
    rows = tuned.prompt_encoder["default"].embedding.weight
    found["soft_shape"] = tuple(rows.shape)
    rows.copy_(given["soft"])
    found["soft"] = logits(tuned)

    tuned = get_peft_model(
        llama(given["weights"], given["n_heads"]), PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=m)
    ).eval()
    rows = tuned.prompt_encoder["default"].embedding.weight  # (m, 2 n_layers d_model)
    rows.copy_(given["prefix"].permute(2, 0, 1, 3).reshape(m, -1))
    past = tuned.get_prompt(batch_size=1)
    found["n_prefix"] = rows.numel()
    found["past_shapes"] = [tuple(layer.keys.shape) for layer in past.layers] if hasattr(past, "layers") else []
    found["prefix"] = logits(tuned)
    torch.save(found, path)


if __name__ == "__main__":
    main(sys.argv[1])
