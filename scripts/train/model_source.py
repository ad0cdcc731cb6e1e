"""A LLaMA-family causal LM with its tokenizer, template and prompts, from a folder or a Hugging Face id."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from prompts import Prompts
from templates import Template, chosen_template, read_facts
from text_tokenizer import TextTokenizer

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
LORA_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@dataclass
class Source:
    """`facts`: the checkpoint's training.json. `dtype`: what its weights are kept in."""

    name: str
    model: PreTrainedModel
    tokenizer: TextTokenizer
    template: Template
    prompts: Prompts
    facts: dict
    dtype: torch.dtype
    added: list[str]

    @property
    def title(self) -> str:
        """What a record calls it: a folder by its own name, not by where it lies on this machine."""
        return Path(self.name).resolve().name if Path(self.name).is_dir() else self.name


@dataclass(frozen=True)
class Lora:
    """The paper's setting (RepLLaMA's)."""

    rank: int = 64
    alpha: int = 16
    dropout: float = 0.1


@torch.no_grad()
def make_room(model: PreTrainedModel, tokenizer: TextTokenizer, added: list[str], seed: int) -> None:
    """Rows for new special tokens, in the embeddings and an untied head: the mean row, a little apart from each other."""
    table = model.get_input_embeddings().weight
    if tokenizer.size > len(table):
        model.resize_token_embeddings(tokenizer.size, mean_resizing=False)
    if not added:
        return
    ids = [tokenizer.whole.token_to_id(token) for token in added]
    known = min(ids)
    generator = torch.Generator().manual_seed(seed)
    for embedding in (model.get_input_embeddings(), model.get_output_embeddings()):
        rows = embedding.weight[:known].float()
        noise = torch.randn(len(ids), rows.shape[1], generator=generator) * rows.std(dim=0).cpu() * 0.1
        embedding.weight[ids] = (rows.mean(dim=0) + noise.to(rows.device)).to(embedding.weight.dtype)
        if model.config.tie_word_embeddings:
            break


def load_source(name: str, template: str | None, dtype: torch.dtype | None = None, seed: int = 0) -> Source:
    """`dtype` None keeps the dtype of the weights. Missing special tokens of the template are added. A folder with a
    peft adapter gives its base with the adapter merged in.

    Raises ValueError for what is no LLaMA-like causal LM, or for a template that the checkpoint contradicts.
    """
    facts = read_facts(Path(name))
    chosen = chosen_template(facts, template)
    adapter = Path(name) / "adapter_config.json"
    base = json.loads(adapter.read_text())["base_model_name_or_path"] if adapter.is_file() else name
    try:
        config = AutoConfig.from_pretrained(base)
        kept = config.dtype or torch.float32
        model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype or kept)
    except OSError as error:
        raise ValueError(f"{base} is no checkpoint that transformers can load: {error}") from error
    if not hasattr(getattr(model, "model", None), "layers") or model.get_output_embeddings() is None:
        raise ValueError(f"{name} is a {type(model).__name__}; a decoder of the LLaMA family is wanted")
    model.config.use_cache = False
    tokenizer = TextTokenizer.load(name)
    added = tokenizer.add_missing(chosen)
    make_room(model, tokenizer, added, seed)
    if adapter.is_file():
        model = PeftModel.from_pretrained(model, name).merge_and_unload()
    return Source(name, model, tokenizer, chosen, tokenizer.prompts(chosen), facts, kept, added)


def with_lora(source: Source, lora: Lora, seed: int) -> PeftModel:
    """The model with adapters, which alone are trained; with embeddings and head where there are new tokens to learn."""
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


def causal_lm(model: nn.Module) -> PreTrainedModel:
    """The LLaMA with its head, below a peft wrapper if there is one."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model
