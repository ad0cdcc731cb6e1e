"""Makes a causal LLaMA from a BERT sentence encoder without gradients, layer by layer, on real text.

    llara-train port --teacher FOLDER --sample sample.jsonl --data DATA --out CHECKPOINT

Writes a Hugging Face folder, which `llara-train distil` trains further.
"""

import argparse
from pathlib import Path

from llara_train.cli.parser import command_parser, existing_file, positive
from llara_train.data.corpus import read_pair_file
from llara_train.porting.ported_checkpoint import fitting_texts, port_teacher


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options as given."""
    parser = command_parser("llara-train port", __doc__)
    parser.add_argument(
        "--teacher", type=Path, required=True, metavar="FOLDER", help="folder of the BERT sentence encoder"
    )
    parser.add_argument(
        "--sample", type=existing_file, required=True, metavar="FILE", help="JSONL of pairs: query, positive"
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FOLDER", help="folder whose LICENSES.md names the pairs' sources"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the new checkpoint")
    parser.add_argument(
        "--pairs",
        type=positive,
        default=1_300,
        metavar="N",
        help="fit on the passages of the first N pairs and on half of their queries (default %(default)s)",
    )
    parser.add_argument("--rope-theta", type=float, default=1e5, help="base of the rotary positions (default 1e5)")
    parser.add_argument("--seed", type=int, default=1, help="(default %(default)s)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    given = parse(arguments)
    texts = fitting_texts(read_pair_file(given.sample, given.pairs))
    port_teacher(given.teacher, texts, given.out, given.data, given.rope_theta, given.seed)
    return 0
