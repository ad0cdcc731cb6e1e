"""One step's queries and passages: who is whose positive, and which of the others must not count as negatives."""

from dataclasses import dataclass

import numpy as np

from llara_train.data.batch_order import share_of
from llara_train.data.pairs import PairFiles


@dataclass(frozen=True)
class ContrastiveBatch:
    """All devices' part of a step, in the order in which the devices' vectors are gathered: device by device.

    `rows` [b] numbers of pairs. `passages` [b * (1 + k)]: on each device its positives, then its negatives, k a query
    in turn. `labels` [b]: column of each query's positive. `hidden` bool [b, passages]: passages that answer the query
    as well as its positive does (other positives of it, copies, positives of the same question) or that it shall not
    be told apart from for another reason. `groups` [b, 1 + k]: columns of a query's own passages, positive first.
    """

    rows: np.ndarray
    passages: np.ndarray
    labels: np.ndarray
    hidden: np.ndarray
    groups: np.ndarray


def _negatives(pairs: PairFiles, row: int, count: int, others: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """`count` of a row's hard negatives; where it has fewer, positives of other rows fill up."""
    own = pairs.negatives[row]
    if len(own) >= count:
        return chance.choice(own, count, replace=False)
    return np.concatenate([own, chance.choice(others, count - len(own))])


def contrastive_batch(
    pairs: PairFiles, rows: np.ndarray, negatives: int, processes: int, seed: list[int]
) -> ContrastiveBatch:
    """The same on every process, whatever its number: drawing depends on `seed` and the rows alone."""
    chance = np.random.default_rng(seed)
    positives = np.array([chance.choice(pairs.positives[row]) for row in rows])
    hard = np.array([_negatives(pairs, row, negatives, positives, chance) for row in rows], np.int64)
    hard = hard.reshape(len(rows), negatives)
    shares = [share_of(np.arange(len(rows)), process, processes) for process in range(processes)]
    order = np.concatenate(shares)
    passages, labels, groups, start = [], [], [], 0
    for share in shares:
        n = len(share)
        passages += [positives[share], hard[share].reshape(-1)]
        at = start + np.arange(n)
        labels.append(at)
        groups.append(np.column_stack([at, start + n + np.arange(n * negatives).reshape(n, negatives)]))
        start += n * (1 + negatives)
    every, own = np.concatenate(passages), np.concatenate(labels)
    keys = pairs.query_keys[rows[order]]
    hidden = np.zeros((len(rows), len(every)), dtype=bool)
    for i in range(len(rows)):
        same_question = np.concatenate([pairs.positives[other] for other in rows[order][keys == keys[i]]])
        hidden[i] = np.isin(every, same_question)
        hidden[i, own[i]] = False
    return ContrastiveBatch(rows[order], every, own, hidden, np.concatenate(groups))
