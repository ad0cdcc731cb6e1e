"""Writes a Hugging Face checkpoint folder: weights, tokenizer and training.json, replaced as a whole."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from llara_train.model.special_tokens import BOS, EOS, PAD, UNKNOWN


def save_tokenizer(tokenizer: Tokenizer, folder: Path, max_length: int, bos: bool = False) -> None:
    """Writes tokenizer.json and tokenizer_config.json. `bos`: every text begins with one."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": getattr(tokenizer.model, "unk_token", None) or UNKNOWN,
        "bos_token": BOS,
        "eos_token": EOS,
        "pad_token": PAD,
        "add_bos_token": bos,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
        "padding_side": "right",
        "model_max_length": max_length,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


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
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def finish_folder(partial: Path, facts: dict[str, Any]) -> None:
    """Writes training.json, makes the weights readable by all, removes settings for generating text."""
    (partial / "generation_config.json").unlink(missing_ok=True)
    for file in partial.glob("*.safetensors"):
        file.chmod(0o644)
    (partial / "training.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def save_checkpoint(
    folder: Path, model: LlamaForCausalLM, tokenizer: Tokenizer, facts: dict[str, Any], bos: bool = False
) -> None:
    """Writes config.json, model.safetensors, tokenizer files and training.json, for a model with our special tokens."""
    with replaced(folder) as partial:
        model.save_pretrained(partial)
        save_tokenizer(tokenizer, partial, model.config.max_position_embeddings, bos)
        finish_folder(partial, facts)
