"""Examples of the adaptation, as ids on disk: a chunk of text and the chunk that follows it in its document."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from llara_train.data.chunking import Chunking, chunks_of
from llara_train.data.json_lines import read_json_lines
from llara_train.data.preparation import Preparation, file_identity, is_prepared
from llara_train.data.token_store import TokenFileWriter, TokenStore, open_token_files
from llara_train.model.tokenizer import TextTokenizer

DOCUMENTS_AT_ONCE = 1_024


class Example(NamedTuple):
    """Ids of a chunk and of the next one, both as cut: targets come from these ids, never from what was cut away."""

    body: np.ndarray
    following: np.ndarray


class ExampleStore:
    """`chunks`: ids of every chunk; `pairs` int64 [examples, 2]: numbers of a chunk and of the one that follows."""

    def __init__(self, chunks: TokenStore, pairs: np.ndarray) -> None:
        self.chunks, self.pairs = chunks, pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Example:
        body, following = (self.chunks[i].astype(np.int64) for i in self.pairs[index])
        return Example(body, following)


def _texts(files: list[Path], field: str) -> Iterator[str]:
    for file in files:
        for number, row in enumerate(read_json_lines(file), 1):
            text = row.get(field)
            if not isinstance(text, str):
                raise ValueError(
                    f"{file}: row {number} has no text in the field {field!r}: choose another with --field"
                )
            yield text


def write_examples(folder: Path, texts: Iterable[str], tokenizer: TextTokenizer, chunking: Chunking, seed: int) -> None:
    """Writes the chunks of all texts and which of them follow each other; short ones are in no example."""
    writer = TokenFileWriter(folder, tokenizer.size)
    pairs: list[list[int]] = []
    texts = iter(texts)
    while group := list(islice(texts, DOCUMENTS_AT_ONCE)):
        parts = [chunks_of(text, chunking, seed) for text in group]
        rows = iter(tokenizer.encode([chunk for chunks in parts for chunk in chunks], chunking.max_tokens))
        for chunks in parts:
            kept = list(islice(rows, len(chunks)))
            long_enough = [len(row) >= chunking.min_tokens for row in kept]
            numbers = [writer.add(row) for row in kept]
            pairs += [numbers[i : i + 2] for i in range(len(kept) - 1) if long_enough[i] and long_enough[i + 1]]
    writer.close()
    np.save(folder / "pairs.npy", np.array(pairs, dtype=np.int64).reshape(-1, 2))


def prepare_examples(
    folder: Path,
    files: list[Path],
    tokenizer: TextTokenizer,
    chunking: Chunking,
    seed: int,
    field: str = "text",
    documents: int | None = None,
) -> None:
    """Tokenises the data once; a folder made from the same files, tokenizer and options is kept.

    Args:
        field: of a row, which holds the text.
        documents: read only that many.

    Raises ValueError for a row without text.
    """
    identity = {
        "files": [file_identity(file) for file in files],
        "tokenizer": zlib.crc32(tokenizer.whole.to_str().encode()),
        "chunking": asdict(chunking),
        "rest": [seed, field, documents],
    }
    if not is_prepared(folder, identity):
        with Preparation(folder, identity) as partial:
            write_examples(partial, islice(_texts(files, field), documents), tokenizer, chunking, seed)


def open_examples(folder: Path) -> ExampleStore:
    """The examples that `prepare_examples` left in the folder."""
    return ExampleStore(open_token_files(folder), np.load(folder / "pairs.npy"))


def frequent_ids(store: ExampleStore, count: int, sample: int = 20_000) -> frozenset[int]:
    """The `count` most frequent ids of the first chunks (stop words and punctuation), which say little."""
    if count <= 0:
        return frozenset()
    ids = store.chunks.ids[: store.chunks.offsets[min(sample, len(store.chunks))]]
    return frozenset(int(i) for i in np.argsort(-np.bincount(ids), kind="stable")[:count])
