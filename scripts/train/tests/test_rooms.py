"""The shape of the package: which room may import which, no cycles, short files, names that can be told apart."""

import ast
import re
from itertools import combinations
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = ("llara_train", "recipes")
ROOMS = {
    "model": set(),
    "data": {"model"},
    "objectives": {"model"},
    "running": {"model"},
    "mining": {"model", "data"},
    "evaluation": {"model", "data"},
    "teaching": {"model", "data"},
    "porting": {"model", "data", "objectives", "teaching"},
    "training": {"model", "data", "objectives", "running", "teaching", "porting"},
    "cli": {"model", "data", "objectives", "running", "mining", "evaluation", "teaching", "porting", "training"},
}
"""Room of llara_train -> the other rooms it may import."""
LINES_MAX = 250
DRAWERS = {"common", "helper", "helpers", "lib", "misc", "shared", "types", "util", "utils"}
SUFFIXES = re.compile(r"(ation|ings?|ers?|ed|s)$")
SMALL_WORDS = {"from", "of", "and"}


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(file): file for package in PACKAGES for file in sorted((PROJECT / package).rglob("*.py"))}
NAMED = [name for name, file in MODULES.items() if not file.name.startswith("__")]


def imports_of(name: str) -> set[str]:
    """Modules of the project that a module imports, anywhere in its text."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} has a relative import"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {each if each in MODULES else node.module for each in whole}
    return {each for each in found if each in MODULES}


IMPORTS = {name: imports_of(name) for name in MODULES}


def room_of(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == "llara_train" and len(parts) > 2 else None


@pytest.mark.parametrize("name", MODULES)
def test_a_room_imports_only_what_it_may(name):
    room = room_of(name)
    for imported in IMPORTS[name]:
        assert not (name.startswith("llara_train") and imported.startswith("recipes")), f"{name} imports {imported}"
        other = room_of(imported)
        assert room is None or other in {None, room, *ROOMS[room]}, f"{name} imports {imported}"


def test_every_room_has_its_rule():
    assert {room_of(name) for name in MODULES} - {None} == set(ROOMS)


def test_imports_have_no_cycle():
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"cycle: {' -> '.join([*above, name])}"
        if name not in done:
            for imported in sorted(IMPORTS[name]):
                visit(imported, (*above, name))
            done.add(name)

    for name in MODULES:
        visit(name, ())


def test_files_are_short():
    files = [*MODULES.values(), *(PROJECT / "tests").rglob("*.py")]
    lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert not {str(file): count for file, count in lines.items() if count > LINES_MAX}


def test_there_are_no_drawers():
    assert not [name for name in MODULES if DRAWERS & set(name.split("."))]


def stems(name: str) -> list[str]:
    """Words of a module's own name without their endings."""
    return [SUFFIXES.sub("", word) for word in name.rpartition(".")[2].split("_")]


def first_stem(name: str) -> str:
    """The first word that says something."""
    return next(stem for stem in stems(name) if stem not in SMALL_WORDS)


def test_no_name_is_another_with_a_different_ending():
    """Neither adapt and adaptation anywhere, nor token_store and token_files in one room."""
    for one, other in combinations(NAMED, 2):
        assert stems(one) != stems(other), f"{one} and {other}"
        if one.rpartition(".")[0] == other.rpartition(".")[0]:
            assert first_stem(one) != first_stem(other), f"{one} and {other}"
