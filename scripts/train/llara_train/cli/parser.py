"""A command's parser, and the types of option values."""

import argparse
from pathlib import Path


def command_parser(command: str, about: str | None) -> argparse.ArgumentParser:
    """The parser of one command. `about`: the module's docstring, shown as it is."""
    return argparse.ArgumentParser(
        prog=command, description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def positive(text: str) -> int:
    """A whole number from 1 up."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {value}")
    return value


def existing_file(text: str) -> Path:
    """The path of a file that exists."""
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"no such file: {text}")
    return Path(text)
