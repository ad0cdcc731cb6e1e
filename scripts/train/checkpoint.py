"""Writes a Hugging Face checkpoint folder and the state of an interrupted stage, each replaced as a whole."""

import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from tokenizer import save_tokenizer


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A new folder to write into, which takes the place of `folder` at the end; readers never see half of it."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.rename(folder, old)
    os.rename(partial, folder)
    shutil.rmtree(old, ignore_errors=True)


def finish_folder(partial: Path, facts: dict) -> None:
    """training.json; weights readable by all; no settings for generating text."""
    (partial / "generation_config.json").unlink(missing_ok=True)
    for file in partial.glob("*.safetensors"):
        file.chmod(0o644)
    (partial / "training.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def save_checkpoint(
    folder: Path, model: LlamaForCausalLM, tokenizer: Tokenizer, facts: dict, bos: bool = False
) -> None:
    """config.json, model.safetensors, tokenizer files and training.json, for a model with our own tokenizer."""
    with replaced(folder) as partial:
        model.save_pretrained(partial)
        save_tokenizer(tokenizer, partial, model.config.max_position_embeddings, bos)
        finish_folder(partial, facts)


def save_state(file: Path, state: dict) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(file.name + ".partial")
    torch.save(state, partial)
    os.replace(partial, file)


def load_state(file: Path) -> dict | None:
    return torch.load(file, weights_only=True, map_location="cpu") if file.exists() else None
