"""Which examples a step reads: functions of the seed and the step alone, whatever the number of devices."""

from functools import lru_cache

import numpy as np


class ShuffledOrder:
    """All of `count` examples, in a new order each epoch; a step reads the next `size` of them."""

    def __init__(self, count: int, size: int, seed: int) -> None:
        if count == 0:
            raise ValueError("the data has nothing to train on: every row is empty or too short")
        self.count, self.size, self.seed = count, size, seed
        self._epoch = lru_cache(maxsize=2)(self._permutation)

    def _permutation(self, epoch: int) -> np.ndarray:
        return np.random.default_rng([self.seed, epoch]).permutation(self.count)

    def batch(self, step: int) -> np.ndarray:
        """Numbers of the examples that a step reads, int64 [size]."""
        places = np.arange(step * self.size, (step + 1) * self.size)
        epochs = places // self.count
        return np.concatenate([self._epoch(int(e))[places[epochs == e] % self.count] for e in np.unique(epochs)])


def share_of(batch: np.ndarray, process: int, processes: int) -> np.ndarray:
    """The part of a batch that one of several processes reads."""
    return batch[process::processes]


class MixedOrder:
    """One source a step, drawn by weight; within a source, its rows in shuffled order, epoch after epoch."""

    def __init__(self, sources: np.ndarray, weights: np.ndarray, size: int, steps: int, seed: int) -> None:
        """`sources` [rows]: number of each row's source; `weights` [sources]: how often each is drawn."""
        rows = [np.flatnonzero(sources == number) for number in range(len(weights))]
        weights = np.where([len(members) > 0 for members in rows], weights, 0).astype(float)
        if weights.sum() <= 0:
            raise ValueError("no source of pairs has both rows and a weight above 0: change --weights")
        drawn = np.random.default_rng([seed, 1]).choice(len(weights), steps, p=weights / weights.sum())
        self.drawn, self.rows = drawn, rows
        self.earlier = np.zeros(steps, np.int64)  # how many earlier steps read the same source
        for number in np.unique(drawn):
            self.earlier[drawn == number] = np.arange(int(np.sum(drawn == number)))
        self.orders = {
            int(number): ShuffledOrder(len(rows[number]), size, seed * 1_009 + int(number))
            for number in np.unique(drawn)
        }

    def batch(self, step: int) -> np.ndarray:
        """Numbers of the rows that a step reads, int64 [size]."""
        source = int(self.drawn[step])
        return self.rows[source][self.orders[source].batch(int(self.earlier[step]))]


def source_weights(sources: np.ndarray, names: list[str], given: dict[str, float]) -> np.ndarray:
    """How often each source is drawn, [sources]: its number of rows times its given weight (default 1).

    `sources` [rows]: number of each row's source in `names`. Raises ValueError for a given name that is not in `names`.
    """
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise ValueError(f"there is no source {', '.join(unknown)}: the pairs come from {', '.join(names)}")
    return np.bincount(sources, minlength=len(names)) * np.array([given.get(name, 1.0) for name in names])
