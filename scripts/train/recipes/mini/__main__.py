"""Makes the bundled model, llara-mini, stage by stage.

    python -m recipes.mini --teacher FOLDER_OF_all-MiniLM-L6-v2

Every stage leaves a file or folder in the work folder, and a stage whose result is there is skipped. If it was stopped,
run the same command again to continue.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from llara_train.cli.mistakes import plain_errors
from llara_train.cli.parser import command_parser, positive
from recipes.mini.sizes import QUICK, Recipe
from recipes.mini.stages import Stages

COMMAND = "python -m recipes.mini"
REPOSITORY = Path(__file__).resolve().parents[4]


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options, with the default of `work`."""
    parser = command_parser(COMMAND, __doc__)
    parser.add_argument(
        "--teacher", type=Path, required=True, metavar="FOLDER", help="folder of the teacher, a BERT sentence encoder"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=REPOSITORY / "../shared/data",
        metavar="FOLDER",
        help="folder of text, pairs and LICENSES.md (default: ../shared/data beside the repository)",
    )
    parser.add_argument(
        "--work", type=Path, metavar="FOLDER", help="folder of the stages (default .train, with --quick .train/quick)"
    )
    parser.add_argument("--quick", action="store_true", help="little text and few steps, to see that it runs")
    parser.add_argument("--processes", type=positive, help="processes of a distillation, one thread each (default 2)")
    parser.add_argument("--adapt-steps", type=positive, help="(default 70)")
    parser.add_argument("--adapt-rate", type=float, help="(default 1e-4)")
    parser.add_argument("--first-epochs", type=float, help="epochs of the first distillation (default 2)")
    parser.add_argument("--second-epochs", type=float, help="epochs of the second distillation (default 1)")
    parser.add_argument("--seed", type=int, help="(default 1)")
    given = parser.parse_args(arguments)
    given.work = given.work or REPOSITORY / (".train/quick" if given.quick else ".train")
    return given


def recipe_of(given: argparse.Namespace) -> Recipe:
    """The sizes, with those that were given."""
    named = ("processes", "adapt_steps", "adapt_rate", "first_epochs", "second_epochs", "seed")
    wanted = {name: getattr(given, name) for name in named if getattr(given, name) is not None}
    return replace(QUICK if given.quick else Recipe(), **wanted)


def main(arguments: list[str] | None = None) -> int:
    """Runs the recipe; returns the exit code. Raises ValueError for a user's mistake."""
    given = parse(arguments)
    Stages(given.data, given.work, given.teacher, recipe_of(given)).run()
    return 0


if __name__ == "__main__":
    raise SystemExit(plain_errors(COMMAND, main))
