"""Checkpoint folders of ported models: a fresh port, and one that was trained further."""

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModel, AutoTokenizer

from llara_train.data.corpus import Pair
from llara_train.model.checkpoint_folder import save_checkpoint
from llara_train.model.source import Source
from llara_train.model.special_tokens import BOS, EOS, PAD
from llara_train.model.templates import PAPER
from llara_train.model.tokenizer import TextTokenizer
from llara_train.porting import record
from llara_train.porting.bert_transfer import equal_batches, ignore_prompt, port
from llara_train.porting.lean_llama import LeanLlama, stock_llama
from llara_train.porting.wordpiece import llama_tokenizer
from llara_train.teaching.lessons import lesson_rows

FITTED_TOKENS = 128
SHOWN_TEXTS, SHOWN_TOKENS = 60, 200
MAX_POSITIONS = 1_024


def port_teacher(teacher: Path, texts: list[str], out: Path, data: Path, rope_theta: float, seed: int) -> None:
    """Ports a BERT sentence encoder and writes the result as a Hugging Face folder.

    Args:
        teacher: folder of the BERT.
        texts: what the layers are fitted on.
        data: folder whose LICENSES.md names the sources of the texts.
        rope_theta: base of the rotary positions.
    """
    torch.manual_seed(seed)
    rows = AutoTokenizer.from_pretrained(teacher)(texts, truncation=True, max_length=FITTED_TOKENS)["input_ids"]
    bert = AutoModel.from_pretrained(teacher, dtype=torch.float32)
    student, missed = port(bert, equal_batches(rows), rope_theta)
    for number, share in enumerate(missed):
        print(f"layer {number}: {100 * share:.1f} % of the teacher's variance is missed", file=sys.stderr)
    tokenizer = TextTokenizer(llama_tokenizer(teacher), {"bos_token": BOS, "add_bos_token": True})
    prompts = tokenizer.prompts(PAPER)
    shown = lesson_rows(tokenizer, texts[-SHOWN_TEXTS:], prompts, "ebar", SHOWN_TOKENS)
    shown += lesson_rows(tokenizer, texts[:SHOWN_TEXTS], prompts, "ebae", SHOWN_TOKENS)
    recognised = ignore_prompt(student, shown, len(prompts.ebae))
    print(f"{100 * recognised:.1f} % of tokens are recognised as text or prompt", file=sys.stderr)
    bos, eos, pad = (tokenizer.whole.token_to_id(token) for token in (BOS, EOS, PAD))
    stock = stock_llama(student, MAX_POSITIONS, bos_token_id=bos, eos_token_id=eos, pad_token_id=pad)
    facts = record.of_port(data, rope_theta, sum(map(len, rows)))
    save_checkpoint(out, stock, tokenizer.whole, facts, bos=True)


def fitting_texts(pairs: list[Pair]) -> list[str]:
    """The texts a port is fitted on: the passages of the pairs and half of their queries."""
    return [pair.positive for pair in pairs] + [pair.query for pair in pairs[::2]]


def save_lean(
    folder: Path, model: LeanLlama, source: Source, facts: dict[str, Any], head: Tensor | None = None
) -> None:
    """Writes a ported model as a Hugging Face folder, with the tokenizer of the checkpoint that it was loaded from.

    `head` [vocabulary, hidden]: its LM head; without one the token table stands in for it.
    """
    config = source.model.config
    ids = {f"{name}_token_id": getattr(config, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    stock = stock_llama(model, config.max_position_embeddings, head, **ids)
    save_checkpoint(folder, stock, source.tokenizer.whole, facts, bos=source.tokenizer.bos is not None)
