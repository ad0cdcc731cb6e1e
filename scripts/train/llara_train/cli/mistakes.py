"""How every command ends when the user made a mistake."""

import sys
from collections.abc import Callable

import torch

MISTAKE = 2
"""Exit code of a command that could not do what it was asked for."""


def plain_errors(command: str, main: Callable[[], int]) -> int:
    """Runs `main` and returns its exit code; a user's mistake becomes one line on stderr and exit code 2."""
    try:
        return main()
    except (ValueError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        print(f"{command}: {error}", file=sys.stderr)
        return MISTAKE
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
