"""Folders of prepared data: written once, kept while what they were made from is the same."""

import json
import shutil
from pathlib import Path
from typing import Any


def is_prepared(folder: Path, identity: dict[str, Any]) -> bool:
    """Whether the folder holds what was made from just this."""
    file = folder / "identity.json"
    return file.is_file() and json.loads(file.read_text(encoding="utf-8")) == json.loads(json.dumps(identity))


class Preparation:
    """Writes into a partial folder that takes its place, with the identity of what it was made from, when complete."""

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
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
        self.partial.rename(self.folder)


def file_identity(file: Path) -> list[Any]:
    """Name, size and time of change: enough to notice that a data file is another one."""
    found = file.stat()
    return [str(file.resolve()), found.st_size, found.st_mtime_ns]
