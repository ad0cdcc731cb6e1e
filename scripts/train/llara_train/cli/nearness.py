"""Measures how close checkpoints are to their teacher: the mean cosine of their vectors to the teacher's, and the MRR
of finding each query's own passage among those of the other queries.

    llara-train nearness --checkpoints A B --teacher TEACHER --pairs pairs.jsonl.xz --without lessons-*.jsonl

Pairs with a text that stands in the lessons are left out. Queries are read with the EBAR prompt
("what comes next"), passages with EBAE ("the text itself").
"""

import argparse
from pathlib import Path

from llara_train.cli.parser import command_parser, existing_file, positive
from llara_train.evaluation.held_out import held_out, mean_cosine, reciprocal_rank
from llara_train.model.encoder import load_encoder
from llara_train.teaching.teachers import Teacher

TOKENS = 256


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options as given."""
    parser = command_parser("llara-train nearness", __doc__)
    parser.add_argument(
        "--checkpoints", type=Path, nargs="+", required=True, metavar="FOLDER", help="folders of checkpoints"
    )
    parser.add_argument(
        "--teacher", type=Path, required=True, metavar="FOLDER", help="bi-encoder in the sentence-transformers layout"
    )
    parser.add_argument(
        "--pairs",
        type=existing_file,
        nargs="+",
        required=True,
        metavar="FILE",
        help="JSONL with query and positive, plain or as .xz or .gz",
    )
    parser.add_argument(
        "--without", type=existing_file, nargs="*", default=[], metavar="FILE", help="lessons whose texts are left out"
    )
    parser.add_argument("--count", type=positive, default=300, help="pairs to measure (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(default %(default)s)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command: prints a table. Raises ValueError when no pair is left to measure."""
    given = parse(arguments)
    pairs = held_out(given.pairs, given.without, given.count, given.seed)
    queries, passages = [query for query, _ in pairs], [passage for _, passage in pairs]
    teacher = Teacher(given.teacher)
    wanted = [teacher.vectors(part).cpu().numpy() for part in (queries, passages)]
    print("| checkpoint | cosine, queries | passages | MRR |\n|---|---|---|---|")
    for folder in given.checkpoints:
        embed = load_encoder(folder).embedder(TOKENS)
        own = [embed(queries, "ebar"), embed(passages, "ebae")]
        cosines = [mean_cosine(*both) for both in zip(own, wanted, strict=True)]
        print(f"| {folder.name} | {cosines[0]:.3f} | {cosines[1]:.3f} | {reciprocal_rank(*own):.3f} |", flush=True)
    print(f"| the teacher | 1 | 1 | {reciprocal_rank(*wanted):.3f} |")
    return 0
