"""Which texts the bundled model is distilled on, and in which round."""

import random
from collections import Counter
from itertools import islice
from pathlib import Path

from llara_train.data.corpus import Pair, read_pairs
from llara_train.teaching.lessons import LessonText

ANY_NUMBER = 10**9
FRESH_QUERIES = {
    "squad_train_subset_sent": ANY_NUMBER,
    "medquad": ANY_NUMBER,
    "fairytaleqa": ANY_NUMBER,
    "arxiv": 6_000,
    "enwiki": 4_000,
    "wordnet_definitions": 1_500,
}
"""Most queries of each source that the sample lacks: every natural question, some titles."""
LONG_PASSAGES = {"arxiv": 5_000, "medquad": 2_500, "enwiki": 2_500, "wikinews": 500}
"""Passages longer than the sample's cut ones, left whole."""
LONG_CHARACTERS = 450
SAME_CHARACTERS = 200
"""Passages that begin with the same characters count as one."""


def first_queries(sample: list[Pair]) -> list[LessonText]:
    """Round one: all queries of the sample."""
    return [LessonText("ebar", pair.query, pair.source) for pair in sample]


def first_passages(sample: list[Pair], count: int) -> list[LessonText]:
    """Round one: the first `count` passages of the sample."""
    return [LessonText("ebae", pair.positive, pair.source) for pair in sample[:count]]


def second_texts(sample: list[Pair], count: int, data: Path, seed: int, most: int | None = None) -> list[LessonText]:
    """What the first round left out of the sample, fresh queries, and whole long passages, in random order.

    Args:
        count: passages of the sample that the first round read.
        most: read only that many of the shared pairs.
    """
    chance = random.Random(seed)
    pairs = list(islice(read_pairs(data), most))
    chance.shuffle(pairs)
    texts = [LessonText("ebae", pair.positive, pair.source) for pair in sample[count:]]
    texts += _fresh_queries(pairs, {pair.query for pair in sample})
    texts += _long_passages(pairs, {pair.positive[:SAME_CHARACTERS] for pair in sample})
    chance.shuffle(texts)
    return texts


def _fresh_queries(pairs: list[Pair], seen: set[str]) -> list[LessonText]:
    taken: Counter[str] = Counter()
    found = []
    for pair in pairs:
        if pair.query not in seen and taken[pair.source] < FRESH_QUERIES.get(pair.source, 0):
            seen.add(pair.query)
            taken[pair.source] += 1
            found.append(LessonText("ebar", pair.query, pair.source))
    return found


def _long_passages(pairs: list[Pair], seen: set[str]) -> list[LessonText]:
    taken: Counter[str] = Counter()
    found = []
    for pair in pairs:
        beginning = pair.positive[:SAME_CHARACTERS]
        if len(pair.positive) <= LONG_CHARACTERS or beginning in seen:
            continue
        if taken[pair.source] < LONG_PASSAGES.get(pair.source, 0):
            seen.add(beginning)
            taken[pair.source] += 1
            titled = pair.source == "arxiv"
            found.append(LessonText("ebae", f"{pair.query} {pair.positive}" if titled else pair.positive, pair.source))
    return found
