"""Makes fixtures of the TypeScript tests, under test/fixtures.

Runs are reproducible, except for the checkpoint bias-paper: its tokenizer's trainer (WordPiece) breaks ties at random.

    python -m recipes.golden checkpoints [NAME ...]    tiny random LLaMAs and the vectors transformers gives for them
    python -m recipes.golden adapters [NAME ...]       random LoRA adapters and what peft itself merges them to
    python -m recipes.golden rerankers [NAME ...]      pairs as reference code puts them, and transformers' scores
    python -m recipes.golden metrics                   trec_eval's own figures; needs pip install pytrec-eval-terrier
    python -m recipes.golden sentencepiece [NAME ...]  small tokenizer.model files and the ids SentencePiece gives
"""

import argparse
import importlib

from llara_train.cli.mistakes import plain_errors
from llara_train.cli.parser import command_parser

COMMAND = "python -m recipes.golden"
KINDS = {
    "checkpoints": "checkpoints",
    "adapters": "peft_merges",
    "rerankers": "rerankers",
    "metrics": "trec_eval",
    "sentencepiece": "sentencepiece_ids",
}
"""Kind of fixture -> the module here that makes it."""


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options as given."""
    parser = command_parser(COMMAND, __doc__)
    parser.add_argument("kind", choices=[*KINDS], help="which fixtures")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these of them (default: all)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Makes the fixtures; returns the exit code. Raises ValueError for an unknown name."""
    given = parse(arguments)
    importlib.import_module(f"recipes.golden.{KINDS[given.kind]}").make(given.names)
    return 0


if __name__ == "__main__":
    raise SystemExit(plain_errors(COMMAND, main))
