"""Runs the whole recipe, stage after stage; every stage leaves a file, and a stage whose file is there is skipped;
adaptation and fine-tuning go on where they were stopped.

    python train.py --work ../../.train --teacher <folder of all-MiniLM-L6-v2>

Without --teacher the token embeddings and the fine-tuning are contrast alone.
"""

import argparse
from pathlib import Path

from stages import Recipe, Stages


def parse() -> argparse.Namespace:
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=root / "../shared/data", help="shared text, pairs and eval/")
    parser.add_argument("--work", type=Path, default=root / ".train", help="where stages leave their files")
    parser.add_argument("--teacher", type=Path, default=None, help="folder of the teacher's model")
    parser.add_argument("--taught-passages", type=int, default=Recipe.taught_passages)
    parser.add_argument("--adapt-steps", type=int, default=Recipe.adapt_steps)
    parser.add_argument("--finetune-steps", type=int, default=Recipe.finetune_steps)
    parser.add_argument("--layers", type=int, default=Recipe.layers)
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    return parser.parse_args()


def main() -> None:
    given = parse()
    recipe = Recipe(
        taught_passages=given.taught_passages,
        adapt_steps=given.adapt_steps,
        finetune_steps=given.finetune_steps,
        layers=given.layers,
        seed=given.seed,
    )
    Stages(given.data, given.work, given.teacher, recipe).run()


if __name__ == "__main__":
    main()
