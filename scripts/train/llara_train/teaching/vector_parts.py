"""A teacher's vectors of many texts, in parts on disk, so that a run that was stopped continues where it was."""

import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

PART_TEXTS = 2_048


def save_array(file: Path, array: np.ndarray) -> None:
    """Writes an array; the file has its name only once it is whole."""
    partial = file.with_name(file.name + ".partial")
    with partial.open("wb") as out:
        np.save(out, array)
    partial.replace(file)


def save_vectors(
    file: Path,
    texts: list[str],
    encode: Callable[[list[str]], np.ndarray],
    part_texts: int = PART_TEXTS,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Writes `file`, float16 [texts, hidden]. A part is known by its place and its texts, so parts of other texts
    are not taken for these.

    Args:
        encode: texts -> rows [texts, hidden].
        report: called with the texts done and all of them, after every part.
    """
    folder = file.with_suffix(".parts")
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for start in range(0, len(texts), part_texts):
        some = texts[start : start + part_texts]
        checksum = zlib.crc32("\0".join(some).encode())
        part = folder / f"{start:08d}-{checksum:08x}.npy"
        if not part.is_file():
            save_array(part, encode(some).astype(np.float16))
            report(start + len(some), len(texts))
        parts.append(np.load(part))
    save_array(file, np.concatenate(parts))
    shutil.rmtree(folder)
