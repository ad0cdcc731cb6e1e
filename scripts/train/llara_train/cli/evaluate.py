"""Measures nDCG@10 of a checkpoint on judged sets by exact search, to choose between checkpoints.

    llara-train evaluate --checkpoint runs/tuned/checkpoint --data DATA --sets scifact cranfield

A set is a folder DATA/eval/SET in BEIR's layout: corpus.jsonl, queries.jsonl, qrels.tsv. Prints one JSON object.
"""

import argparse
import json
from pathlib import Path

from llara_train.cli.parser import command_parser, positive
from llara_train.evaluation.ndcg import evaluate
from llara_train.model.encoder import load_encoder

SHARED_DATA = Path(__file__).resolve().parents[4] / "../shared/data"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options as given."""
    parser = command_parser("llara-train evaluate", __doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, metavar="FOLDER", help="folder of the checkpoint")
    parser.add_argument(
        "--data",
        type=Path,
        default=SHARED_DATA,
        help="folder with eval/SET (default: ../shared/data beside the repository)",
    )
    parser.add_argument(
        "--sets", nargs="+", default=["scifact", "cranfield"], metavar="SET", help="(default scifact cranfield)"
    )
    parser.add_argument("--max-queries", type=positive, metavar="N", help="take about N queries, evenly spread")
    parser.add_argument(
        "--max-documents", type=positive, metavar="N", help="take about N documents: faster, with higher figures"
    )
    parser.add_argument(
        "--max-tokens", type=positive, default=512, help="cut a text at this length, prompt included (default 512)"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code. Raises FileNotFoundError for a set that does not exist."""
    given = parse(arguments)
    embed = load_encoder(given.checkpoint).embedder(given.max_tokens)
    print(json.dumps(evaluate(embed, given.data, given.sets, given.max_queries, given.max_documents)))
    return 0
