"""Tokenised texts: one flat array of ids and the offsets where each text starts.

They may be larger than memory: written text by text, read through a memory map.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np


class TokenStore:
    """Texts as ids: `ids` unsigned [all tokens], `offsets` int64 [texts + 1]."""

    def __init__(self, ids: np.ndarray, offsets: np.ndarray) -> None:
        self.ids, self.offsets = ids, offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> np.ndarray:
        return self.ids[self.offsets[index] : self.offsets[index + 1]]


class TokenFileWriter:
    """Appends texts to `ids.bin` (uint8, 16 or 32, as the vocabulary needs) under a folder. With a vocabulary of 256 it
    keeps bytes, so texts themselves."""

    def __init__(self, folder: Path, vocabulary: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.dtype = folder, np.min_scalar_type(vocabulary - 1).type
        self.file = (folder / "ids.bin").open("wb")
        self.lengths: list[int] = []

    def add(self, ids: Iterable[int]) -> int:
        """Appends a text's ids; returns its number."""
        row = np.asarray(ids, dtype=self.dtype)
        self.file.write(row.tobytes())
        self.lengths.append(len(row))
        return len(self.lengths) - 1

    def add_text(self, text: str) -> int:
        """Appends the text's own bytes (UTF-8); returns its number."""
        return self.add(np.frombuffer(text.encode(), np.uint8))

    def close(self) -> None:
        """Writes the offsets; the store can be opened from then on."""
        self.file.close()
        np.save(self.folder / "offsets.npy", np.cumsum([0, *self.lengths], dtype=np.int64))
        (self.folder / "ids.json").write_text(json.dumps({"dtype": self.dtype.__name__}))


def open_token_files(folder: Path) -> TokenStore:
    """The store that a TokenFileWriter left in the folder."""
    dtype = json.loads((folder / "ids.json").read_text())["dtype"]
    offsets = np.load(folder / "offsets.npy")
    empty = offsets[-1] == 0
    ids = np.zeros(0, dtype) if empty else np.memmap(folder / "ids.bin", dtype=dtype, mode="r")
    return TokenStore(ids, offsets)
