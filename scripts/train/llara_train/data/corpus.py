"""Pairs and text as the recipes read them: `pairs-*.jsonl.xz` and `text-*.jsonl.xz` of a folder."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from llara_train.data.json_lines import read_json_lines


class Pair(NamedTuple):
    """A query, a passage that answers it, and the name of the collection they come from."""

    query: str
    positive: str
    source: str


def _rows(data: Path, pattern: str) -> Iterator[dict[str, Any]]:
    files = sorted(data.glob(pattern))
    if not files:
        raise FileNotFoundError(f"{data} has no file {pattern}: give the folder that holds it as --data")
    for file in files:
        yield from read_json_lines(file)


def read_pairs(data: Path) -> Iterator[Pair]:
    """All pairs of a folder. Raises FileNotFoundError when it has none."""
    for row in _rows(data, "pairs-*.jsonl.xz"):
        yield Pair(row["query"], row["positive"], row["source"])


def read_pair_file(file: Path, most: int) -> list[Pair]:
    """The first `most` pairs of one file, plain or compressed. Raises ValueError for a line that is no JSON object."""
    rows = islice(read_json_lines(file), most)
    return [Pair(row["query"], row["positive"], row.get("source", "")) for row in rows]


def read_documents(data: Path) -> Iterator[tuple[str, str]]:
    """(source, text) of every whole document; the first line of a text is its title. Raises as `read_pairs` does."""
    for row in _rows(data, "text-*.jsonl.xz"):
        yield row["source"], row["text"]
