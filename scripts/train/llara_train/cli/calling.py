"""Commands called from Python: their options as a dictionary."""

from collections.abc import Callable, Mapping


def words_of(options: Mapping[str, object]) -> list[str]:
    """{"steps": 3, "pairs": [a, b], "lora": True} -> --steps 3 --pairs a b --lora

    True stands for an option without a value; an option that is False or None is left out.
    """
    words: list[str] = []
    for name, value in options.items():
        if value is not None and value is not False:
            values = value if isinstance(value, list) else [] if value is True else [value]
            words += [f"--{name}", *map(str, values)]
    return words


def run_command(main: Callable[[list[str]], int], options: Mapping[str, object]) -> None:
    """Runs a command's `main`. Raises SystemExit with its exit code when it did not finish."""
    code = main(words_of(options))
    if code != 0:
        raise SystemExit(code)
