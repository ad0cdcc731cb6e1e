"""A LLaMA-family causal LM with its tokenizer, template and prompts, from a folder or a Hugging Face id."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from llara_train.model.prompts import Prompts
from llara_train.model.templates import Template, chosen_template, prompt_record, read_facts
from llara_train.model.tokenizer import TextTokenizer

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass
class Source:
    """A loaded checkpoint. `facts`: its training.json. `dtype`: of its stored weights. `added`: new special tokens."""

    name: str
    model: PreTrainedModel
    tokenizer: TextTokenizer
    template: Template
    prompts: Prompts
    facts: dict[str, Any]
    dtype: torch.dtype
    added: list[str]

    @property
    def title(self) -> str:
        """What a record calls it: a folder by its own name, not by where it lies on this machine."""
        return Path(self.name).resolve().name if Path(self.name).is_dir() else self.name

    def facts_with(self, stage: dict[str, Any]) -> dict[str, Any]:
        """The training.json of what a stage made of this checkpoint: its own, the prompts, and one more stage."""
        prompts = prompt_record(self.template, self.tokenizer.bos is not None)
        return {**self.facts, "prompts": prompts, "stages": [*self.facts.get("stages", []), stage]}


@torch.no_grad()
def make_room(model: PreTrainedModel, tokenizer: TextTokenizer, added: list[str], seed: int) -> None:
    """Adds rows for new special tokens to the embeddings and an untied head: the mean row plus a little noise."""
    table = model.get_input_embeddings().weight
    if tokenizer.size > len(table):
        model.resize_token_embeddings(tokenizer.size, mean_resizing=False)
    if not added:
        return
    vocabulary = tokenizer.whole.get_vocab(with_added_tokens=True)
    ids = [vocabulary[token] for token in added]
    known = min(ids)
    generator = torch.Generator().manual_seed(seed)
    for embedding in (model.get_input_embeddings(), model.get_output_embeddings()):
        rows = embedding.weight[:known].float()
        noise = torch.randn(len(ids), rows.shape[1], generator=generator) * rows.std(dim=0).cpu() * 0.1
        embedding.weight[ids] = (rows.mean(dim=0) + noise.to(rows.device)).to(embedding.weight.dtype)
        if model.config.tie_word_embeddings:
            break


def load_source(name: str, template: str | None, dtype: torch.dtype | None = None, seed: int = 0) -> Source:
    """Loads a causal LM with its tokenizer. A folder with a peft adapter gives its base with the adapter merged in.

    Special tokens of the template that the tokenizer lacks are added.

    Args:
        name: folder or Hugging Face id.
        template: name of the prompt template; None: the one in training.json, else the paper's.
        dtype: of the weights; None: as stored.
        seed: of the new tokens' embeddings.

    Raises ValueError for what is no causal LM of the LLaMA family, or for a template that the checkpoint contradicts.
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
        raise ValueError(f"{base} is not a checkpoint that transformers can load: {error}") from error
    if not hasattr(getattr(model, "model", None), "layers") or model.get_output_embeddings() is None:
        raise ValueError(f"{name} is a {type(model).__name__}: choose a causal LM of the LLaMA family")
    model.config.use_cache = False
    tokenizer = TextTokenizer.load(name)
    added = tokenizer.add_missing(chosen)
    make_room(model, tokenizer, added, seed)
    if adapter.is_file():
        model = PeftModel.from_pretrained(model, name).merge_and_unload()
    return Source(name, model, tokenizer, chosen, tokenizer.prompts(chosen), facts, kept, added)


def causal_lm(model: nn.Module) -> PreTrainedModel:
    """The LLaMA with its head, below a peft wrapper if there is one."""
    unwrapped = getattr(model, "get_base_model", None)
    return unwrapped() if unwrapped else model


def freeze(model: nn.Module, names: list[str]) -> None:
    """Excludes parameters from training: all with one of `names` in their name.

    Raises ValueError for a name that no parameter has.
    """
    for name in names:
        found = [parameter for full, parameter in model.named_parameters() if name in full]
        if not found:
            raise ValueError(f"--freeze {name}: the model has no parameter with this in its name")
        for parameter in found:
            parameter.requires_grad_(False)
