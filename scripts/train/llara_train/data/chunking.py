"""How documents are cut into chunks that follow each other."""

import random
import re
import zlib
from dataclasses import dataclass

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


def word_chunks(text: str, size: int) -> list[str]:
    """All chunks of a document in order; whitespace becomes single spaces."""
    words = text.split()
    if len(words) < 2 * size:
        half = (len(words) + 1) // 2
        return [" ".join(words[:half]), " ".join(words[half:])]
    whole = len(words) // size
    ends = [size * (i + 1) for i in range(whole - 1)] + [len(words)]
    return [" ".join(words[start:end]) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def sentence_chunks(text: str, most: int, chance: random.Random) -> list[str]:
    """Two chunks of 1 to `most` sentences that follow each other, at a random place; none if the text is too short."""
    sentences = [sentence for sentence in _SENTENCE_END.split(text) if sentence.strip()]
    if len(sentences) < 4:
        return []
    first = chance.randrange(len(sentences) - 3)
    count = chance.randint(1, most)
    parts = sentences[first : first + count], sentences[first + count : first + 2 * count]
    return [" ".join(part) for part in parts] if parts[1] else []


def chunks_of(text: str, chunking: Chunking, seed: int) -> list[str]:
    """Chunks of a document in order; the same for the same text, seed and settings."""
    if chunking.unit == "words":
        return word_chunks(text, chunking.size)
    return sentence_chunks(text, chunking.size, random.Random(seed ^ zlib.crc32(text[:400].encode())))
