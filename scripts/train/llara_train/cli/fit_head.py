"""Fits an LM head for a distilled checkpoint, so that it can be adapted.

    llara-train fit-head --model CHECKPOINT --lessons passages.jsonl --out CHECKPOINT

The head is fitted on the teacher's vectors of passages: each vector must name the tokens of its passage.
"""

import argparse
from pathlib import Path

import torch

from llara_train.cli.parser import command_parser, existing_file, positive
from llara_train.model.source import load_source
from llara_train.porting.lm_head import HeadFit, save_with_fitted_head
from llara_train.teaching.lessons import read_lesson_texts, read_vectors


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options as given."""
    parser = command_parser("llara-train fit-head", __doc__)
    parser.add_argument("--model", required=True, help="folder of a checkpoint that `llara-train distil` made")
    parser.add_argument(
        "--lessons",
        type=existing_file,
        required=True,
        metavar="FILE",
        help="JSONL of passages, the vectors in .npy beside it",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the new checkpoint")
    parser.add_argument("--steps", type=positive, default=300, help="(default %(default)s)")
    parser.add_argument(
        "--tokens", type=positive, default=200, help="tokens of a passage to use as targets (default %(default)s)"
    )
    parser.add_argument(
        "--drop-frequent",
        type=int,
        default=50,
        metavar="N",
        help="drop the N most frequent token ids from the targets (default %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=1, help="(default %(default)s)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code. Raises ValueError for a user's mistake."""
    given = parse(arguments)
    source = load_source(given.model, None, torch.float32)
    texts = read_lesson_texts(given.lessons)
    vectors = read_vectors(given.lessons, len(texts))
    fit = HeadFit(given.steps, given.tokens, given.drop_frequent, given.seed)
    save_with_fitted_head(given.out, source, texts, vectors, fit)
    return 0
