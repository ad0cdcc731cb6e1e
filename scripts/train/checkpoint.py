"""Writes a Hugging Face checkpoint folder and the state of an interrupted stage, each replaced as a whole."""

import json
import os
import shutil
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from tokenizer import save_tokenizer


def save_checkpoint(folder: Path, model: LlamaForCausalLM, tokenizer: Tokenizer, facts: dict) -> None:
    """config.json, model.safetensors, tokenizer files and training.json; readers never see half of them."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    (partial / "generation_config.json").unlink(missing_ok=True)
    (partial / "model.safetensors").chmod(0o644)
    save_tokenizer(tokenizer, partial, model.config.max_position_embeddings)
    (partial / "training.json").write_text(json.dumps(facts, indent=2) + "\n")
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.rename(folder, old)
    os.rename(partial, folder)
    shutil.rmtree(old, ignore_errors=True)


def save_state(file: Path, state: dict) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(file.name + ".partial")
    torch.save(state, partial)
    os.replace(partial, file)


def load_state(file: Path) -> dict | None:
    return torch.load(file, weights_only=True) if file.exists() else None
