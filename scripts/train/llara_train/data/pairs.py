"""Pairs as token ids on disk, passages kept once each, with what tells copies of a text apart from other texts."""

import zlib
from collections.abc import Iterable
from hashlib import blake2b
from itertools import islice
from pathlib import Path

import numpy as np

from llara_train.data.layouts import PairRow, normalised, read_pair_files
from llara_train.data.preparation import Preparation, file_identity, is_prepared
from llara_train.data.token_store import TokenFileWriter, open_token_files
from llara_train.model.tokenizer import TextTokenizer

ROWS_AT_ONCE = 2_048


class Lists:
    """Lists of passage numbers of unequal length: `values` of list i lie between offsets i and i + 1."""

    def __init__(self, values: np.ndarray, offsets: np.ndarray) -> None:
        self.values, self.offsets = values, offsets

    def __getitem__(self, index: int) -> np.ndarray:
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    @classmethod
    def of(cls, lists: list[list[int]]) -> "Lists":
        """The same lists in one array."""
        values = np.array([number for row in lists for number in row], dtype=np.int64)
        return cls(values, np.cumsum([0, *map(len, lists)], dtype=np.int64))


class PairFiles:
    """`queries` and `passages` as ids, `*_texts` as bytes; rows run in parallel: `positives` and `negatives` are
    numbers of passages, `query_keys` are equal where the normalised queries are, `sources` are numbers of `names`.
    Passages that differ in case, punctuation or spaces only are one passage."""

    def __init__(self, folder: Path) -> None:
        self.queries, self.passages, self.query_texts, self.passage_texts = (
            open_token_files(folder / name) for name in ("queries", "passages", "query-texts", "passage-texts")
        )
        with np.load(folder / "rows.npz") as rows:
            self.positives = Lists(rows["positives"], rows["positive_offsets"])
            self.negatives = Lists(rows["negatives"], rows["negative_offsets"])
            self.query_keys, self.sources, self.names = rows["query_keys"], rows["sources"], rows["names"].tolist()

    def __len__(self) -> int:
        return len(self.sources)

    def query_text(self, row: int) -> str:
        """The query of a row as text."""
        return self.query_texts[row].tobytes().decode()

    def passage_text(self, number: int) -> str:
        """A passage as text."""
        return self.passage_texts[number].tobytes().decode()


class _Numbers:
    """One number for each text that differs after normalising."""

    def __init__(self) -> None:
        self.known: dict[bytes, int] = {}

    def of(self, text: str) -> int:
        key = blake2b(normalised(text).encode() or text.encode(), digest_size=16).digest()
        return self.known.setdefault(key, len(self.known))


def write_pairs(
    folder: Path, rows: Iterable[PairRow], tokenizer: TextTokenizer, query_tokens: int, passage_tokens: int
) -> None:
    """Writes what PairFiles reads. `query_tokens`, `passage_tokens`: texts are cut there, prompt not counted."""
    queries, passages = (TokenFileWriter(folder / name, tokenizer.size) for name in ("queries", "passages"))
    query_texts, passage_texts = (TokenFileWriter(folder / name, 256) for name in ("query-texts", "passage-texts"))
    numbers, keys = _Numbers(), _Numbers()
    names: dict[str, int] = {}
    positives: list[list[int]] = []
    negatives: list[list[int]] = []
    query_keys: list[int] = []
    sources: list[int] = []
    rows = iter(rows)
    while group := list(islice(rows, ROWS_AT_ONCE)):
        for row, ids in zip(group, tokenizer.encode([row.query for row in group], query_tokens), strict=True):
            queries.add(ids)
            query_texts.add_text(row.query)
        new: dict[int, str] = {}
        for row in group:
            found = []
            for text in (*row.positives, *row.negatives):
                number = numbers.of(text)
                found.append(number)
                if number >= len(passages.lengths) + len(new):
                    new[number] = text
            answers = found[: len(row.positives)]
            positives.append(list(dict.fromkeys(answers)))
            negatives.append([n for n in dict.fromkeys(found[len(answers) :]) if n not in answers])
            query_keys.append(keys.of(row.query))
            sources.append(names.setdefault(row.source, len(names)))
        for text, ids in zip(new.values(), tokenizer.encode(list(new.values()), passage_tokens), strict=True):
            passages.add(ids)
            passage_texts.add_text(text)
    for writer in (queries, passages, query_texts, passage_texts):
        writer.close()
    own, others = Lists.of(positives), Lists.of(negatives)
    np.savez(
        folder / "rows.npz",
        positives=own.values,
        positive_offsets=own.offsets,
        negatives=others.values,
        negative_offsets=others.offsets,
        query_keys=np.array(query_keys, np.int64),
        sources=np.array(sources, np.int64),
        names=np.array(list(names)),
    )


def prepare_pairs(
    folder: Path,
    files: list[Path],
    tokenizer: TextTokenizer,
    query_tokens: int,
    passage_tokens: int,
    limit: int | None = None,
) -> None:
    """Tokenises the pairs once; a folder made from the same files, tokenizer and lengths is kept.

    `query_tokens`, `passage_tokens`: texts are cut there. `limit`: read only that many rows of each file. Raises
    ValueError for a row without a pair.
    """
    identity = {
        "files": [file_identity(file) for file in files],
        "tokenizer": zlib.crc32(tokenizer.whole.to_str().encode()),
        "tokens": [query_tokens, passage_tokens, limit],
    }
    if not is_prepared(folder, identity):
        with Preparation(folder, identity) as partial:
            write_pairs(partial, read_pair_files(files, limit), tokenizer, query_tokens, passage_tokens)
