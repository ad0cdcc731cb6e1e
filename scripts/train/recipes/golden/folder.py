"""Where fixtures lie, and which of them are wanted."""

from collections.abc import Iterable
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[4] / "test" / "fixtures"


def chosen(names: list[str], known: Iterable[str]) -> list[str]:
    """The names in the order of `known`; all of them if none is given. Raises ValueError for an unknown one."""
    every = list(known)
    if unknown := set(names) - set(every):
        raise ValueError(f"there is no fixture {', '.join(sorted(unknown))}: choose from {', '.join(every)}")
    return [name for name in every if not names or name in names]


def report(folder: Path) -> None:
    """Prints a finished folder's name and size."""
    print(folder.name, sum(file.stat().st_size for file in folder.iterdir()), "bytes")
