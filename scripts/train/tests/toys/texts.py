"""Toy texts: a few sentences, and documents whose words come from one topic each."""

import json
from pathlib import Path

import numpy as np

TEXTS = [
    "A wing in a slipstream gains lift. The boundary layer moves with it. Heat flows from the wall. It is cold.",
    "Stamps are collected and studied. The study of postage is old. Letters cross the sea. The sea is wide.",
    "The original sentence: the next sentence: what comes next is what the query asks for. So it goes on and on.",
]
SYLLABLES = ["ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su", "ta", "ve"]
TOPICS, WORDS_PER_HALF = 12, 6


def topic_words(topic: int, half: int) -> list[str]:
    words = np.random.default_rng(1).permutation([first + last for first in SYLLABLES for last in SYLLABLES])
    return list(words[(2 * topic + half) * WORDS_PER_HALF :][:WORDS_PER_HALF])


def topic_texts(count: int, words: int, half: int) -> list[str]:
    """Text i keeps to topic i % TOPICS; the two halves of a topic have no words in common."""
    chance = np.random.default_rng(5 + half)
    return [" ".join(chance.choice(topic_words(i % TOPICS, half), words)) for i in range(count)]


def topic_documents(count: int, words: int) -> list[str]:
    """Three parts of `words` words each, of a topic's first words, its second, and its first again: only who has learnt
    what follows what can match them."""
    first, second = (topic_texts(count, words, half) for half in (0, 1))
    return [" ".join(parts) for parts in zip(first, second, first[TOPICS:] + first[:TOPICS], strict=True)]


def pair_file(file: Path, count: int, source: str | None = None, words: int = 6) -> Path:
    """JSONL of pairs: query and positive are the two halves of a topic; a row's two negatives are of other topics."""
    queries, passages = topic_texts(count, words, 0), topic_texts(count + 2, words, 1)
    rows = []
    for i in range(count):
        row = {"query": queries[i], "positive": f"{passages[i]} {i}"}
        row["negatives"] = [f"{passages[i + other]} n{i}" for other in (1, 2)]
        rows.append(row | ({"source": source} if source else {}))
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file
