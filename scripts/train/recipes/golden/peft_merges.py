"""Fixtures of the export tests: random LoRA adapters and what peft itself merges them to.

Writes test/fixtures/adapters/<name>/: adapter_config.json and adapter_model.safetensors as peft saves them, and
merged.safetensors with the tensors that `merge_and_unload` changed, in float32.
"""

import json
import shutil

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import LlamaForCausalLM, LlamaModel, PreTrainedModel

from recipes.golden.folder import FIXTURES, chosen, report

ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
# name: (base, class it is wrapped as, settings)
ADAPTERS: dict[str, tuple[str, type[PreTrainedModel], dict]] = {
    "plain": ("mha-released", LlamaForCausalLM, {"r": 4, "lora_alpha": 16, "target_modules": ["q_proj", "v_proj"]}),
    "patterns": (
        "bias-paper",
        LlamaForCausalLM,
        {
            "r": 4,
            "lora_alpha": 8,
            "use_rslora": True,
            "target_modules": [*ALL, "embed_tokens"],
            "rank_pattern": {"q_proj": 2, r"layers\.1\.mlp\..*": 3},
            "alpha_pattern": {"down_proj": 5, r"model\.layers\.0\.self_attn\.k_proj": 32},
        },
    ),
    "bare": ("gqa-paper", LlamaModel, {"r": 2, "lora_alpha": 2, "target_modules": ["k_proj", "down_proj"]}),
    "whole-embeddings": (
        "mha-paper",
        LlamaForCausalLM,
        {"r": 2, "lora_alpha": 4, "target_modules": ["o_proj"], "modules_to_save": ["embed_tokens"]},
    ),
}


def inner_state(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """Tensors of the LLaMA without its LM head."""
    return (model.model if isinstance(model, LlamaForCausalLM) else model).state_dict()


def save(name: str) -> None:
    """Writes one fixture; an old one is deleted first."""
    base_name, kind, settings = ADAPTERS[name]
    torch.manual_seed(23)
    base = FIXTURES / "checkpoints" / base_name
    model = get_peft_model(kind.from_pretrained(base, dtype=torch.float32), LoraConfig(**settings))
    for parameter_name, parameter in model.named_parameters():
        if "lora_" in parameter_name:
            torch.nn.init.normal_(parameter, std=0.1)
        elif "modules_to_save" in parameter_name:
            torch.nn.init.normal_(parameter, std=0.3)
    folder = FIXTURES / "adapters" / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, save_embedding_layers=name == "patterns")
    (folder / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = base_name
    config["target_modules"] = sorted(config["target_modules"])
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    merged = PeftModel.from_pretrained(kind.from_pretrained(base, dtype=torch.float32), folder).merge_and_unload()
    before, after = (inner_state(each) for each in (kind.from_pretrained(base, dtype=torch.float32), merged))
    changed = {key: value.contiguous() for key, value in after.items() if not torch.equal(value, before[key])}
    save_file(changed, folder / "merged.safetensors")
    for file in folder.iterdir():
        file.chmod(0o644)


def make(names: list[str]) -> None:
    """Makes the fixtures of these names, all without any. Raises ValueError for an unknown name."""
    for name in chosen(names, ADAPTERS):
        save(name)
        report(FIXTURES / "adapters" / name)
