"""Training pairs as people write them: three layouts of JSONL, one shape.

    {"query", "positive", "negatives"?: [text], "source"?, "title"?}                                  our own
    {"query", "pos": [text], "neg": [text]}                                                           FlagEmbedding
    {"query", "positive_passages": [{"title"?, "text"}], "negative_passages": [{"title"?, "text"}]}   Tevatron

A passage with a title is "title text", as the released checkpoints were trained.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from llara_train.data.json_lines import read_json_lines

_NOT_WORD = re.compile(r"[^\w]+")


class PairRow(NamedTuple):
    """`title` of the positive, empty where there is none; `source`: the row's own, else the file's name."""

    query: str
    positives: tuple[str, ...]
    negatives: tuple[str, ...]
    source: str
    title: str = ""


def normalised(text: str) -> str:
    """Case, punctuation and whitespace put aside: what two copies of a text have in common."""
    return _NOT_WORD.sub(" ", text.casefold()).strip()


def _passage(value: object) -> str:
    if isinstance(value, dict):
        return f"{value.get('title') or ''} {value['text']}".strip()
    if isinstance(value, str):
        return value
    raise TypeError("a passage is neither a text nor an object with one")


def _first_title(row: dict[str, Any]) -> str:
    passages = row.get("positive_passages") or [{}]
    return row.get("title") or passages[0].get("title") or ""


def pair_row(row: dict[str, Any], source: str) -> PairRow:
    """A row of any of the layouts; `source` where it names none. Raises KeyError or TypeError for any other row."""
    if "positive_passages" in row:
        positives, negatives = row["positive_passages"], row.get("negative_passages") or []
    elif "pos" in row:
        positives, negatives = row["pos"], row.get("neg") or []
    else:
        positives, negatives = [row["positive"]], row.get("negatives") or []
    if not isinstance(row["query"], str) or not positives:
        raise TypeError("query is no text, or there is no positive")
    own, others = (tuple(map(_passage, passages)) for passages in (positives, negatives))
    return PairRow(row["query"], own, others, row.get("source") or source, _first_title(row))


def read_pair_files(files: list[Path], limit: int | None = None) -> Iterator[PairRow]:
    """Rows of all files in turn, the first `limit` of each. Raises ValueError for a row that has no pair."""
    for file in files:
        name = file.name.split(".")[0]
        for number, row in enumerate(read_json_lines(file), 1):
            if limit is not None and number > limit:
                break
            try:
                yield pair_row(row, name)
            except (KeyError, TypeError) as error:
                message = f"{file}: row {number} has no query with a positive: the README lists the three layouts"
                raise ValueError(message) from error
