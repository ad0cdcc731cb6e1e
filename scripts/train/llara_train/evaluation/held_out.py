"""Pairs that a model was not trained on, and two figures of the vectors of their texts."""

import random
from pathlib import Path

import numpy as np

from llara_train.data.json_lines import read_json_lines


def held_out(files: list[Path], without: list[Path], count: int, seed: int) -> list[tuple[str, str]]:
    """At most `count` (query, passage) pairs of `files`, drawn at random, without those with a text in the `without`
    files.

    Raises ValueError when no pair is left.
    """
    known = {row["text"] for file in without for row in read_json_lines(file)}
    rows = [(row["query"], row["positive"]) for file in files for row in read_json_lines(file)]
    left = [row for row in rows if not known.intersection(row)]
    if not left:
        raise ValueError("every pair has a text in the lessons: use other --pairs")
    return random.Random(seed).sample(left, min(count, len(left)))


def mean_cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Mean cosine of row i of one and row i of the other; both unit rows [texts, d]."""
    return float((one * other).sum(1).mean())


def reciprocal_rank(queries: np.ndarray, passages: np.ndarray) -> float:
    """Mean reciprocal rank of passage i for query i among all passages; unit rows [texts, d]."""
    scores = queries @ passages.T
    return float((1 / (1 + (scores > np.diag(scores)[:, None]).sum(1))).mean())
