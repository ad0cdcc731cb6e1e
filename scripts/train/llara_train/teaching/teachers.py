"""A teacher given by path: a bi-encoder (a folder in the sentence-transformers layout) or a cross-encoder.

A bi-encoder scores every query against every passage of a step by the cosine of its vectors; a cross-encoder reads a
query with each of its own passages. Only training text goes in; no judged set does.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from llara_train.model.padding import micro_batches

TOKENS_MAX = 512
TOKENS_MAX_BY_DEFAULT = 256


def _json(file: Path, otherwise: Any) -> Any:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else otherwise


def is_cross_encoder(folder: Path) -> bool:
    """Whether the configuration names a classification head. Raises ValueError for a folder without a model."""
    config = _json(folder / "config.json", None)
    if config is None:
        raise ValueError(f"{folder} has no config.json: give the folder of a bi-encoder or a cross-encoder")
    return any("SequenceClassification" in name for name in config.get("architectures") or [])


class Teacher:
    """A bi-encoder. Pooling (mean over real tokens, first or last token) and the length limit as the folder says;
    vectors have unit length."""

    def __init__(self, folder: Path, device: torch.device | str = "cpu") -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval().to(device)
        self.pooling = self._pooling(folder)
        self.tokens_max = min(
            TOKENS_MAX, _json(folder / "sentence_bert_config.json", {}).get("max_seq_length") or TOKENS_MAX_BY_DEFAULT
        )

    @staticmethod
    def _pooling(folder: Path) -> str:
        for module in _json(folder / "modules.json", []):
            settings = _json(folder / module["path"] / "config.json", {})
            if settings.get("pooling_mode_cls_token"):
                return "first"
            if settings.get("pooling_mode_lasttoken"):
                return "last"
            if "Dense" in module["type"]:
                raise ValueError(
                    f"{folder} has a dense layer behind its pooling, which is not supported: choose another teacher"
                )
        return "mean"

    def _pooled(self, states: Tensor, mask: Tensor) -> Tensor:
        if self.pooling == "first":
            return states[:, 0]
        if self.pooling == "last":
            return states[torch.arange(len(states), device=states.device), mask.sum(1) - 1]
        real = mask.unsqueeze(-1)
        return (states * real).sum(1) / real.sum(1)

    @torch.no_grad()
    def vectors(self, texts: list[str], report: Callable[[int], None] = lambda done: None) -> Tensor:
        """Unit rows [texts, dimensions], float32, on the teacher's device."""
        rows = self.tokenizer(texts, truncation=True, max_length=self.tokens_max)["input_ids"]
        device = self.model.device
        vectors = torch.empty(len(texts), self.model.config.hidden_size, device=device)
        done = 0
        for batch in micro_batches(np.array([len(row) for row in rows])):
            ids = {"input_ids": [rows[i] for i in batch]}
            padded = self.tokenizer.pad(ids, return_tensors="pt", padding_side="right").to(device)
            states = self.model(**padded).last_hidden_state
            pooled = self._pooled(states, padded["attention_mask"])
            vectors[torch.from_numpy(batch).to(device)] = F.normalize(pooled, dim=-1)
            done += len(batch)
            report(done)
        return vectors

    def encode(self, texts: list[str], report: Callable[[int], None] = lambda done: None) -> np.ndarray:
        """Unit rows float16 [texts, dimensions]."""
        return self.vectors(texts, report).cpu().numpy().astype(np.float16)


class CrossTeacher:
    """A cross-encoder: one logit a pair, or the last of several (the class that says relevant)."""

    def __init__(self, folder: Path, device: torch.device | str = "cpu") -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval().to(device)
        places = getattr(AutoConfig.from_pretrained(folder), "max_position_embeddings", TOKENS_MAX)
        self.tokens_max = min(TOKENS_MAX, places)

    @torch.no_grad()
    def scores(self, queries: list[str], passages: list[str]) -> Tensor:
        """[pairs], float32: of each query with the passage beside it."""
        read = self.tokenizer(queries, passages, truncation="longest_first", max_length=self.tokens_max)
        scores = torch.empty(len(queries), device=self.model.device)
        for batch in micro_batches(np.array([len(row) for row in read["input_ids"]])):
            some = {name: [values[i] for i in batch] for name, values in read.items()}
            padded = self.tokenizer.pad(some, return_tensors="pt", padding_side="right").to(self.model.device)
            scores[torch.from_numpy(batch).to(scores.device)] = self.model(**padded).logits[:, -1].float()
        return scores


def load_teacher(folder: Path, device: torch.device | str = "cpu") -> Teacher | CrossTeacher:
    """The teacher in a folder, of the kind its configuration names. Raises ValueError for a folder without a model."""
    return (CrossTeacher if is_cross_encoder(folder) else Teacher)(folder, device)
