"""Tokenised texts on disk: one flat array of ids and the offsets where each text starts."""

from pathlib import Path
from typing import Iterable, Iterator

import numpy as np
from tokenizers import Tokenizer

CHUNK_TEXTS = 4_096


class TokenStore:
    """Texts as ids: `ids` uint16 [all tokens], `offsets` int64 [texts + 1]."""

    def __init__(self, ids: np.ndarray, offsets: np.ndarray):
        self.ids, self.offsets = ids, offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> np.ndarray:
        return self.ids[self.offsets[index] : self.offsets[index + 1]]

    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)

    def save(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial.npz")
        np.savez(partial, ids=self.ids, offsets=self.offsets)
        partial.rename(file)

    @classmethod
    def load(cls, file: Path) -> "TokenStore":
        with np.load(file) as arrays:
            return cls(arrays["ids"], arrays["offsets"])


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    for text in texts:
        chunk.append(text)
        if len(chunk) == CHUNK_TEXTS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def tokenise(tokenizer: Tokenizer, texts: Iterable[str], max_tokens: int | None = None) -> TokenStore:
    """Texts to ids without special tokens, each cut at `max_tokens`."""
    parts: list[np.ndarray] = []
    for chunk in _chunks(texts):
        for encoding in tokenizer.encode_batch_fast(chunk, add_special_tokens=False):
            parts.append(np.asarray(encoding.ids[:max_tokens], dtype=np.uint16))
    offsets = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    return TokenStore(np.concatenate(parts) if parts else np.zeros(0, np.uint16), offsets)
