"""LoRA: adapters that are trained in place of the model's own weights."""

from dataclasses import dataclass

import torch
from peft import LoraConfig, PeftModel, get_peft_model

from llara_train.model.source import Source

LORA_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@dataclass(frozen=True)
class Lora:
    """Sizes of the adapters; by default the paper's setting for fine-tuning (RepLLaMA's)."""

    rank: int = 64
    alpha: int = 16
    dropout: float = 0.1


def with_lora(source: Source, lora: Lora, seed: int) -> PeftModel:
    """The model with adapters, which alone are trained, plus embeddings and head where the tokenizer got new tokens."""
    torch.manual_seed(seed)
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=LORA_TARGETS,
        modules_to_save=["embed_tokens", "lm_head"] if source.added else None,
        task_type="FEATURE_EXTRACTION",
    )
    return get_peft_model(source.model, config)
