"""Batches full of hard negatives: pairs whose passages a query wrongly ranks high share a batch.

A mined negative comes in with its own query, so every encoded passage is one query's positive and others' negative;
no passage is encoded only to be a negative.
"""

import numpy as np


def hard_neighbours(
    queries: np.ndarray, passages: np.ndarray, count: int, skip_above: float = 0.95, block: int = 1_024
) -> np.ndarray:
    """For each query the `count` highest-ranked foreign passages, int64 [queries, count].

    Passages scoring above `skip_above` of the positive's own score are likely relevant too and are passed over.
    """
    found = np.empty((len(queries), count), dtype=np.int64)
    for start in range(0, len(queries), block):
        rows = np.arange(start, min(start + block, len(queries)))
        scores = queries[rows] @ passages.T
        own = scores[np.arange(len(rows)), rows]
        scores[scores > skip_above * np.maximum(own, 0.2)[:, None]] = -2
        scores[np.arange(len(rows)), rows] = -2
        best = np.argpartition(-scores, count, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
        found[rows] = np.take_along_axis(best, order, axis=1)
    return found


def hard_batches(neighbours: np.ndarray, size: int, chance: np.random.Generator) -> list[np.ndarray]:
    """Every pair once: grow a batch from random seeds, each followed by those of its neighbours still free."""
    free = np.ones(len(neighbours), dtype=bool)
    batches, batch = [], []
    for seed in chance.permutation(len(neighbours)):
        for pair in [seed, *neighbours[seed]]:
            if free[pair]:
                free[pair] = False
                batch.append(pair)
        if len(batch) >= size:
            batches.append(np.array(batch[:size]))
            free[batch[size:]] = True
            batch = []
    if len(batch) >= size // 2:
        batches.append(np.array(batch))
    return [batches[i] for i in chance.permutation(len(batches))]
