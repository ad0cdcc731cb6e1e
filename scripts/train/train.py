"""Makes the bundled model, stage after stage; every stage leaves a file, and a stage whose file is there is skipped;
the stages that train go on where they were stopped.

    python train.py --teacher <folder of all-MiniLM-L6-v2>
"""

import argparse
from dataclasses import replace
from pathlib import Path

from recipe import QUICK, Recipe
from run import plain_errors
from stages import Stages


def parse(arguments: list[str] | None) -> argparse.Namespace:
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", type=Path, required=True, help="folder of the teacher, a BERT sentence encoder")
    parser.add_argument("--data", type=Path, default=root / "../shared/data", help="shared text, pairs and LICENSES.md")
    parser.add_argument("--work", type=Path, help="where stages leave their files (default .train, with --quick .train/quick)")
    parser.add_argument("--quick", action="store_true", help="little text, few steps: to see that it runs")
    parser.add_argument("--processes", type=int, help="of a distillation, one thread each (default 2)")
    parser.add_argument("--adapt-steps", type=int)
    parser.add_argument("--adapt-rate", type=float)
    parser.add_argument("--first-epochs", type=float)
    parser.add_argument("--second-epochs", type=float)
    parser.add_argument("--seed", type=int)
    given = parser.parse_args(arguments)
    given.work = given.work or (root / ".train/quick" if given.quick else root / ".train")
    return given


def recipe_of(given: argparse.Namespace) -> Recipe:
    named = ("processes", "adapt_steps", "adapt_rate", "first_epochs", "second_epochs", "seed")
    said = {name: getattr(given, name) for name in named if getattr(given, name) is not None}
    return replace(QUICK if given.quick else Recipe(), **said)


def main(arguments: list[str] | None = None) -> int:
    given = parse(arguments)
    Stages(given.data, given.work, given.teacher, recipe_of(given)).run()
    return 0


if __name__ == "__main__":
    raise SystemExit(plain_errors(main))
