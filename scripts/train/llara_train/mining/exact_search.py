"""Exact search: every passage is scored against every query, block by block, so that no more than one block of passage
vectors is held at a time."""

from typing import NamedTuple

import torch
from torch import Tensor

QUERIES_AT_ONCE = 1_024


class Found(NamedTuple):
    """Best first: `numbers` int64 and `scores` float32, both [queries, k]. Equal scores: the lower number first."""

    numbers: Tensor
    scores: Tensor


class ExactSearch:
    """The `k` best passages of each query among all blocks given so far. `queries` [q, d], unit rows."""

    def __init__(self, queries: Tensor, k: int) -> None:
        self.queries, self.k, self.seen = queries, k, 0
        self.scores = torch.empty(len(queries), 0, device=queries.device)
        self.numbers = torch.empty(len(queries), 0, dtype=torch.int64, device=queries.device)

    def add(self, block: Tensor) -> None:
        """`block` [passages, d], numbered on from the last block."""
        at = torch.arange(self.seen, self.seen + len(block), device=block.device)
        best = [self._merge(rows, block, at) for rows in torch.arange(len(self.queries)).split(QUERIES_AT_ONCE)]
        self.scores, self.numbers = (torch.cat(parts) for parts in zip(*best, strict=True))
        self.seen += len(block)

    def _merge(self, rows: Tensor, block: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
        rows = rows.to(block.device)
        scores = torch.cat([self.scores[rows], self.queries[rows] @ block.T], dim=1)
        numbers = torch.cat([self.numbers[rows], at.expand(len(rows), -1)], dim=1)
        order = scores.sort(dim=1, descending=True, stable=True).indices[:, : self.k]
        return scores.gather(1, order), numbers.gather(1, order)

    def found(self) -> Found:
        """The best passages so far."""
        return Found(self.numbers, self.scores)
