"""Documents to training examples of the adaptation: a chunk of text and the chunk that follows it in the same document."""

import random
import re
import zlib
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Iterable, Iterator, NamedTuple

import numpy as np

from corpus import read_json_lines
from text_tokenizer import TextTokenizer
from token_files import Preparation, TokenFileWriter, file_identity, is_prepared, open_token_files
from token_store import TokenStore

DOCUMENTS_AT_ONCE = 1_024
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True)
class Chunking:
    """`unit` words: a document is cut every `size` words, each chunk with the one behind it (a document shorter than
    two chunks is cut in half). `unit` sentences: one random run of 1 to `size` sentences a document, and as many
    that follow. Both chunks are cut at `max_tokens`; shorter ones than `min_tokens` are left out."""

    unit: str = "words"
    size: int = 500
    max_tokens: int = 1_024
    min_tokens: int = 8


class Example(NamedTuple):
    """Ids of a chunk and of the next one, both as cut: targets come from these ids, never from what was cut away."""

    body: np.ndarray
    following: np.ndarray


def word_chunks(text: str, size: int) -> list[str]:
    """All chunks of a document in order; whitespace becomes single spaces."""
    words = text.split()
    if len(words) < 2 * size:
        half = (len(words) + 1) // 2
        return [" ".join(words[:half]), " ".join(words[half:])]
    whole = len(words) // size
    ends = [size * (i + 1) for i in range(whole - 1)] + [len(words)]
    return [" ".join(words[start:end]) for start, end in zip([0, *ends], ends)]


def sentence_chunks(text: str, most: int, chance: random.Random) -> list[str]:
    sentences = [sentence for sentence in _SENTENCE_END.split(text) if sentence.strip()]
    if len(sentences) < 4:
        return []
    first = chance.randrange(len(sentences) - 3)
    count = chance.randint(1, most)
    parts = sentences[first : first + count], sentences[first + count : first + 2 * count]
    return [" ".join(part) for part in parts] if parts[1] else []


def chunks_of(text: str, chunking: Chunking, seed: int) -> list[str]:
    if chunking.unit == "words":
        return word_chunks(text, chunking.size)
    return sentence_chunks(text, chunking.size, random.Random(seed ^ zlib.crc32(text[:400].encode())))


class ExampleStore:
    """`chunks`: ids of every chunk; `pairs` int64 [examples, 2]: numbers of a chunk and of the one that follows."""

    def __init__(self, chunks: TokenStore, pairs: np.ndarray):
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
                raise ValueError(f"{file}: row {number} has no text in {field!r}")
            yield text


def write_examples(folder: Path, texts: Iterable[str], tokenizer: TextTokenizer, chunking: Chunking, seed: int) -> None:
    writer, pairs = TokenFileWriter(folder, tokenizer.size), []
    texts = iter(texts)
    while group := list(islice(texts, DOCUMENTS_AT_ONCE)):
        parts = [chunks_of(text, chunking, seed) for text in group]
        rows = iter(tokenizer.encode([chunk for chunks in parts for chunk in chunks], chunking.max_tokens))
        for chunks in parts:
            kept = [row for row in islice(rows, len(chunks))]
            long_enough = [len(row) >= chunking.min_tokens for row in kept]
            numbers = [writer.add(row) for row in kept]
            pairs += [numbers[i : i + 2] for i in range(len(kept) - 1) if long_enough[i] and long_enough[i + 1]]
    writer.close()
    np.save(folder / "pairs.npy", np.array(pairs, dtype=np.int64).reshape(-1, 2))


def prepare_examples(
    folder: Path, files: list[Path], tokenizer: TextTokenizer, chunking: Chunking, seed: int,
    field: str = "text", documents: int | None = None,
) -> None:  # fmt: skip
    """Tokenises the data once; a folder made from the same files, tokenizer and options is kept."""
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
    return ExampleStore(open_token_files(folder), np.load(folder / "pairs.npy"))


def frequent_ids(store: ExampleStore, count: int, sample: int = 20_000) -> frozenset[int]:
    """The `count` most frequent ids of the first chunks (stop words and punctuation), which say little."""
    if count <= 0:
        return frozenset()
    ids = store.chunks.ids[: store.chunks.offsets[min(sample, len(store.chunks))]]
    return frozenset(int(i) for i in np.argsort(-np.bincount(ids), kind="stable")[:count])
