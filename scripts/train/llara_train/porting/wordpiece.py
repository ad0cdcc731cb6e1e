"""The teacher's WordPiece vocabulary as a LLaMA's tokenizer: the same ids, `<s>` for [CLS] and `</s>` for [SEP]."""

import json
from pathlib import Path

from tokenizers import Tokenizer

from llara_train.model.special_tokens import BOS, EOS, PAD

RENAMED = {"[CLS]": BOS, "[SEP]": EOS, "[PAD]": PAD}


def llama_tokenizer(teacher: Path) -> Tokenizer:
    """Neither cuts nor pads nor adds special tokens: the prompt around a text is the caller's.

    Args:
        teacher: folder with the tokenizer.json of a BERT.
    """
    described = json.loads((teacher / "tokenizer.json").read_text(encoding="utf-8"))
    described.update(truncation=None, padding=None, post_processor=None)
    for token in described["added_tokens"]:
        token["content"] = RENAMED.get(token["content"], token["content"])
    vocabulary = described["model"]["vocab"]
    described["model"]["vocab"] = {RENAMED.get(token, token): number for token, number in vocabulary.items()}
    return Tokenizer.from_str(json.dumps(described))
