"""Reads the shared text and pairs, and the judged sets, as plain Python objects."""

import gzip
import json
import lzma
from pathlib import Path
from typing import Iterator, NamedTuple


class Pair(NamedTuple):
    query: str
    positive: str
    source: str


class JudgedSet(NamedTuple):
    """One BEIR folder: ids and texts ("title text" where there is a title), and relevance by query id."""

    document_ids: list[str]
    documents: list[str]
    query_ids: list[str]
    queries: list[str]
    judgements: dict[str, dict[str, int]]


_OPENERS = {".xz": lzma.open, ".gz": gzip.open}


def read_json_lines(file: Path) -> Iterator[dict]:
    """Rows of a .jsonl file, plain or compressed (.xz, .gz); blank lines are skipped. Raises ValueError for a bad row."""
    with _OPENERS.get(file.suffix, open)(file, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{file}, line {number}: {error.msg}") from error
            if not isinstance(row, dict):
                raise ValueError(f"{file}, line {number}: not a JSON object")
            yield row


def _rows(data: Path, pattern: str) -> Iterator[dict]:
    files = sorted(data.glob(pattern))
    if not files:
        raise FileNotFoundError(f"no {pattern} under {data}")
    for file in files:
        yield from read_json_lines(file)


def read_pairs(data: Path) -> Iterator[Pair]:
    for row in _rows(data, "pairs-*.jsonl.xz"):
        yield Pair(row["query"], row["positive"], row["source"])


def read_documents(data: Path) -> Iterator[tuple[str, str]]:
    """(source, text) of every whole document; the first line of a text is its title."""
    for row in _rows(data, "text-*.jsonl.xz"):
        yield row["source"], row["text"]


def read_judged_set(folder: Path) -> JudgedSet:
    corpus, queries = (list(read_json_lines(folder / name)) for name in ("corpus.jsonl", "queries.jsonl"))
    judgements: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, score = line.split("\t")
        if int(score) > 0:
            judgements.setdefault(query, {})[document] = int(score)
    queries = [query for query in queries if query["_id"] in judgements]
    return JudgedSet(
        [row["_id"] for row in corpus],
        [f"{row.get('title') or ''} {row['text']}".strip() for row in corpus],
        [row["_id"] for row in queries],
        [row["text"] for row in queries],
        judgements,
    )
