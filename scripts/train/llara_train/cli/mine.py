"""Finds hard negatives for fine-tuning: passages that the current model wrongly ranks high for a query.

    llara-train mine --model runs/adapted/checkpoint --pairs pairs.jsonl --out mined.jsonl [--corpus corpus.jsonl]

An exact search over all passages: those of the pairs, and with --corpus those of a corpus.jsonl in BEIR's layout.
Writes the pairs again, each with `negatives`, their `scores` and `positive_score`. A passage that may well answer the
query too is left out: see --margin, --share and --allow-same-title.
"""

import argparse
import json
import sys
from pathlib import Path

from llara_train.cli.parser import command_parser, existing_file, positive
from llara_train.data.layouts import read_pair_files
from llara_train.mining.hard_negatives import Guards, gather_passages
from llara_train.mining.mined_pairs import mine
from llara_train.model.encoder import load_encoder
from llara_train.model.source import DTYPES
from llara_train.model.templates import TEMPLATES


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options as given."""
    parser = command_parser("llara-train mine", __doc__)
    parser.add_argument("--model", required=True, help="folder of a checkpoint or an adapter, or a Hugging Face id")
    parser.add_argument(
        "--template", choices=[*TEMPLATES], help="prompt template; default: the checkpoint's own, else paper"
    )
    parser.add_argument(
        "--pairs", type=existing_file, nargs="+", required=True, metavar="FILE", help="JSONL of pairs, as for finetune"
    )
    parser.add_argument(
        "--corpus", type=existing_file, metavar="FILE", help="more passages: JSONL with _id, title and text"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="JSONL to write")
    parser.add_argument("--limit", type=positive, metavar="N", help="read only the first N rows of each file")
    parser.add_argument(
        "--count", type=positive, default=15, help="most negatives to keep for a query (default %(default)s)"
    )
    parser.add_argument("--depth", type=positive, default=200, help="ranks to look at (default %(default)s)")
    parser.add_argument(
        "--skip-first", type=int, default=Guards.skip_first, metavar="N", help="skip the N best ranks (default 0)"
    )
    parser.add_argument(
        "--margin",
        type=float,
        default=Guards.margin,
        help="leave out passages that score less than this below the positive (default %(default)s)",
    )
    parser.add_argument(
        "--share",
        type=float,
        default=Guards.share,
        help="leave out passages above this share of the positive's score (default %(default)s)",
    )
    parser.add_argument(
        "--allow-same-title",
        action="store_true",
        help="keep passages whose title is the positive's or is the query itself",
    )
    for name, tokens in (("query", 64), ("passage", 160)):
        parser.add_argument(
            f"--{name}-tokens",
            type=positive,
            default=tokens,
            help=f"cut a {name} at this length, prompt included (default %(default)s)",
        )
    parser.add_argument("--dtype", choices=[*DTYPES], default="fp32", help="dtype of the weights (default fp32)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code. Raises ValueError for a user's mistake."""
    given = parse(arguments)
    rows = list(read_pair_files(given.pairs, given.limit))
    guards = Guards(given.margin, given.share, not given.allow_same_title, given.skip_first)
    encoder = load_encoder(given.model, given.template, DTYPES[given.dtype])
    passages = gather_passages(rows, given.corpus)
    mined = mine(encoder, rows, passages, given.count, given.depth, guards, given.query_tokens, given.passage_tokens)
    partial = given.out.with_name(given.out.name + ".partial")
    counts: list[int] = []
    with partial.open("w", encoding="utf-8") as file:
        for row in mined:
            counts.append(len(row["negatives"]))
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    partial.rename(given.out)
    short = sum(count < given.count for count in counts)
    print(
        f"{len(counts)} pairs, {len(passages.texts)} passages; {short} pairs with fewer than {given.count} negatives",
        file=sys.stderr,
    )
    return 0
