"""Makes the ablation: no adaptation, EBAE only, EBAR only, both; right and wrong prompts; the cost of the joint pass.

    python -m recipes.ablation.start --teacher TEACHER --pairs PAIRS.jsonl.xz --data DATA --out START
    python -m recipes.ablation --model START --text TEXT.jsonl.xz --pairs PAIRS.jsonl.xz --sets SET [SET ...]

Every cell (a condition and a seed) starts from the same checkpoint, reads the same data for the same number of steps
and adds one line to OUT/results.jsonl. The tables are written after each cell. If it was stopped, run the same command
again: it makes the cells that are missing.
"""

import argparse
from pathlib import Path
from typing import Any

from llara_train.cli.mistakes import plain_errors
from llara_train.cli.parser import command_parser, existing_file, positive
from recipes.ablation.grid import Ablation

COMMAND = "python -m recipes.ablation"
REPOSITORY = Path(__file__).resolve().parents[4]


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options as given."""
    parser = command_parser(COMMAND, __doc__)
    parser.add_argument("--model", required=True, help="checkpoint that every cell starts from")
    parser.add_argument(
        "--text", type=existing_file, nargs="+", required=True, metavar="FILE", help="JSONL of text for the adaptation"
    )
    parser.add_argument(
        "--pairs", type=existing_file, nargs="+", required=True, metavar="FILE", help="JSONL of pairs for fine-tuning"
    )
    parser.add_argument("--pairs-limit", type=positive, default=20_000, help="rows to read of each file of pairs")
    parser.add_argument(
        "--sets", type=Path, nargs="+", required=True, metavar="FOLDER", help="judged sets in BEIR's layout"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="one run of every condition for each")
    _add_sizes(parser)
    parser.add_argument("--trained-prompts", action="store_true", help="also fine-tune with the wrong prompts")
    parser.add_argument(
        "--drift", type=Path, metavar="FILE", help="output of npm run evaluate -- <set> --against <model> --json"
    )
    parser.add_argument("--keep", action="store_true", help="keep the checkpoints of the cells")
    parser.add_argument(
        "--out", type=Path, default=REPOSITORY / ".train/ablation", help="folder of the results (.train/ablation)"
    )
    parser.add_argument(
        "--table", type=Path, default=REPOSITORY / "docs/ablation.md", help="file with the tables (docs/ablation.md)"
    )
    return parser.parse_args(arguments)


def _add_sizes(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("sizes of a cell")
    for name, size, about in (
        ("max-queries", 100, "queries measured of each set"),
        ("max-documents", 600, "documents measured of each set"),
        ("eval-tokens", 192, "length that measured texts are cut at"),
        ("adapt-steps", 60, "steps of adaptation"),
        ("adapt-batch", 32, "passages in a step of adaptation"),
        ("adapt-tokens", 80, "length that passages are cut at in adaptation"),
        ("finetune-steps", 50, "steps of fine-tuning"),
        ("finetune-batch", 32, "pairs in a step of fine-tuning"),
        ("finetune-tokens", 128, "length that texts are cut at in fine-tuning"),
    ):
        group.add_argument(f"--{name}", type=positive, default=size, help=f"{about} (default %(default)s)")
    group.add_argument(
        "--negatives", type=int, default=0, help="hard negatives for each query, from the pairs (default 0)"
    )
    group.add_argument("--rate", type=float, default=5e-4, help="learning rate of both (default %(default)s)")
    group.add_argument(
        "--embeddings-share", type=float, default=0.1, help="rate of the embeddings, as a share of --rate (default 0.1)"
    )
    group.add_argument(
        "--fit-scale",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="before adaptation, scale the final norm so that the loss starts lowest (default yes)",
    )


def settings_of(given: argparse.Namespace) -> dict[str, Any]:
    """What all cells have in common, under the names that the tables show."""
    return {
        "start": Path(given.model).name,
        "text": [f.name for f in given.text],
        "pairs": [f.name for f in given.pairs],
        "rows of each": given.pairs_limit,
        "adaptation steps": given.adapt_steps,
        "of": given.adapt_batch,
        "tokens a passage": given.adapt_tokens,
        "fine-tuning steps": given.finetune_steps,
        "pairs a step": given.finetune_batch,
        "tokens a text": given.finetune_tokens,
        "hard negatives": given.negatives,
        "rate": given.rate,
        "embeddings' share": given.embeddings_share,
        "sets": [f.name for f in given.sets],
        "logit scale fitted": given.fit_scale,
        "queries of each": given.max_queries,
        "documents of each": given.max_documents,
        "tokens measured": given.eval_tokens,
    }


def main(arguments: list[str] | None = None) -> int:
    """Runs the ablation; returns the exit code. Raises ValueError for a user's mistake."""
    given = parse(arguments)
    Ablation(given, settings_of(given)).run()
    return 0


if __name__ == "__main__":
    raise SystemExit(plain_errors(COMMAND, main))
