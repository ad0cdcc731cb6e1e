"""The special tokens of our own checkpoints, and the two tokenizer files that a Hugging Face folder carries."""

import json
from pathlib import Path

from tokenizers import Tokenizer

UNKNOWN, BOS, EOS, PAD = "<unk>", "<s>", "</s>", "<pad>"


def save_tokenizer(tokenizer: Tokenizer, folder: Path, max_length: int, bos: bool = False) -> None:
    """tokenizer.json and tokenizer_config.json. `bos`: every text begins with one."""
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
