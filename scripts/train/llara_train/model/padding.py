"""Rows of token ids: with a prompt around the text, padded on the right, in batches of bounded size."""

import numpy as np
import torch
from torch import Tensor

MICRO_BATCH_TOKENS = 6_144


def padded(rows: list[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Ids [rows, longest] filled up on the right with 0, and the index of each row's last id [rows]."""
    lengths = torch.tensor([len(row) for row in rows])
    ids = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.from_numpy(row.astype(np.int64))
    return ids, lengths - 1


def with_prompt(body: np.ndarray, suffix: tuple[int, ...], max_tokens: int, prefix: tuple[int, ...] = ()) -> np.ndarray:
    """The body alone is cut, to `max_tokens` with the prompt; the prompt always stands whole around it."""
    room = max(0, max_tokens - len(suffix) - len(prefix))
    return np.concatenate([np.asarray(prefix, np.int64), body[:room].astype(np.int64), np.asarray(suffix, np.int64)])


def micro_batches(lengths: np.ndarray, max_tokens: int = MICRO_BATCH_TOKENS) -> list[np.ndarray]:
    """Indices sorted by length and cut so that a padded batch holds about `max_tokens` ids."""
    batches: list[np.ndarray] = []
    batch: list[int] = []
    for index in np.argsort(lengths, kind="stable"):
        if batch and (len(batch) + 1) * lengths[index] > max_tokens:
            batches.append(np.array(batch))
            batch = []
        batch.append(index)
    return [*batches, np.array(batch)] if batch else batches
