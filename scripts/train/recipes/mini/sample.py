"""Which training pairs the bundled model learns from: a sample that favours natural questions and prose."""

import random
from collections import Counter

from llara_train.data.corpus import Pair

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
    """The sample, in random order; most passages are cut short, which saves the teacher's time."""
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
