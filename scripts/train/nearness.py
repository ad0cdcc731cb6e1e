"""How near checkpoints came to their teacher: mean cosine, and the MRR of finding each query's passage among the others.

    python nearness.py --checkpoints A B --teacher TEACHER --pairs PAIRS.jsonl.xz --without lessons-*.jsonl

On pairs whose query and passage are in none of the lessons. Queries are read with EBAR, passages with EBAE.
"""

import argparse
import random
from pathlib import Path

import numpy as np

import options
from corpus import read_json_lines
from encoder import load_encoder
from run import plain_errors
from teacher import Teacher

TOKENS = 256


def held_out(files: list[Path], without: list[Path], count: int, seed: int) -> list[tuple[str, str]]:
    """Raises ValueError when nothing is left."""
    known = {row["text"] for file in without for row in read_json_lines(file)}
    rows = [(row["query"], row["positive"]) for file in files for row in read_json_lines(file)]
    left = [row for row in rows if not known.intersection(row)]
    if not left:
        raise ValueError("every pair is in the lessons")
    return random.Random(seed).sample(left, min(count, len(left)))


def mean_cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Of unit rows."""
    return float((one * other).sum(1).mean())


def reciprocal_rank(queries: np.ndarray, passages: np.ndarray) -> float:
    """Mean over unit rows; the passage of a query has its number."""
    scores = queries @ passages.T
    return float((1 / (1 + (scores > np.diag(scores)[:, None]).sum(1))).mean())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoints", type=Path, nargs="+", required=True, metavar="FOLDER")
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--pairs", type=options.existing_file, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--without", type=options.existing_file, nargs="*", default=[], metavar="FILE", help="lessons")
    parser.add_argument("--count", type=options.positive, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    texts = [list(part) for part in zip(*held_out(given.pairs, given.without, given.count, given.seed))]
    teacher = Teacher(given.teacher)
    wanted = [teacher.vectors(part).cpu().numpy() for part in texts]
    print("| checkpoint | cosine, queries | passages | MRR |\n|---|---|---|---|")
    for folder in given.checkpoints:
        embed = load_encoder(folder).embedder(TOKENS)
        own = [embed(part, prompt) for part, prompt in zip(texts, ("ebar", "ebae"))]
        cosines = [mean_cosine(*both) for both in zip(own, wanted)]
        print(f"| {folder.name} | {cosines[0]:.3f} | {cosines[1]:.3f} | {reciprocal_rank(*own):.3f} |", flush=True)
    print(f"| the teacher | 1 | 1 | {reciprocal_rank(*wanted):.3f} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(plain_errors(main))
