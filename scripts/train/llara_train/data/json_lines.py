"""JSONL files: one JSON object on each line, plain or compressed."""

import gzip
import json
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

_OPENERS: dict[str, Callable[..., IO[Any]]] = {".xz": lzma.open, ".gz": gzip.open}


def read_json_lines(file: Path) -> Iterator[dict[str, Any]]:
    """Rows of a .jsonl file, plain or compressed (.xz, .gz); blank lines are skipped.

    Raises ValueError, with file and line, for a line that is no JSON object.
    """
    with _OPENERS.get(file.suffix, open)(file, "rt", encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{file}, line {number}: not JSON ({error.msg})") from error
            if not isinstance(row, dict):
                raise ValueError(f"{file}, line {number}: not a JSON object")
            yield row
