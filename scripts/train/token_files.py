"""Token stores too large for memory: written text by text, read through a memory map."""

import json
import os
import shutil
from pathlib import Path
from typing import Iterable

import numpy as np

from token_store import TokenStore


class TokenFileWriter:
    """Appends texts to `ids.bin` (uint8, 16 or 32, as the vocabulary needs) under a folder. With a vocabulary of 256 it
    keeps bytes, so texts themselves."""

    def __init__(self, folder: Path, vocabulary: int):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.dtype = folder, np.min_scalar_type(vocabulary - 1).type
        self.file = (folder / "ids.bin").open("wb")
        self.lengths: list[int] = []

    def add(self, ids: Iterable[int]) -> int:
        """Number of the text."""
        row = np.asarray(ids, dtype=self.dtype)
        self.file.write(row.tobytes())
        self.lengths.append(len(row))
        return len(self.lengths) - 1

    def add_text(self, text: str) -> int:
        return self.add(np.frombuffer(text.encode(), np.uint8))

    def close(self) -> None:
        self.file.close()
        np.save(self.folder / "offsets.npy", np.cumsum([0, *self.lengths], dtype=np.int64))
        (self.folder / "ids.json").write_text(json.dumps({"dtype": self.dtype.__name__}))


def open_token_files(folder: Path) -> TokenStore:
    dtype = json.loads((folder / "ids.json").read_text())["dtype"]
    offsets = np.load(folder / "offsets.npy")
    empty = offsets[-1] == 0
    ids = np.zeros(0, dtype) if empty else np.memmap(folder / "ids.bin", dtype=dtype, mode="r")
    return TokenStore(ids, offsets)


def is_prepared(folder: Path, identity: dict) -> bool:
    """Whether the folder holds what was made from just this."""
    file = folder / "identity.json"
    return file.is_file() and json.loads(file.read_text(encoding="utf-8")) == json.loads(json.dumps(identity))


class Preparation:
    """Writes into a partial folder that takes its place, with the identity of what it was made from, when complete."""

    def __init__(self, folder: Path, identity: dict):
        self.folder, self.identity = folder, identity
        self.partial = folder.with_name(folder.name + ".partial")

    def __enter__(self) -> Path:
        shutil.rmtree(self.partial, ignore_errors=True)
        self.partial.mkdir(parents=True)
        return self.partial

    def __exit__(self, failed: object, *_: object) -> None:
        if failed:
            return
        (self.partial / "identity.json").write_text(json.dumps(self.identity), encoding="utf-8")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.rename(self.partial, self.folder)


def file_identity(file: Path) -> list:
    """Name, size and time of change: enough to notice that a data file is another one."""
    found = file.stat()
    return [str(file.resolve()), found.st_size, found.st_mtime_ns]
