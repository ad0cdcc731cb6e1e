"""Hard negatives for fine-tuning: what the current model wrongly ranks high, by exact search over all passages.

    python mine.py --model runs/adapted/checkpoint --pairs pairs.jsonl --out mined.jsonl [--corpus corpus.jsonl]

Writes the pairs again, each with `negatives` and their `scores`, and `positive_score`. Guards against false negatives:
see Guards. Passages are those of the corpus (BEIR's corpus.jsonl) and the pairs' own.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Iterator

import torch

import options
from encoder import Encoder, load_encoder
from hard_negatives import Guards, Passages, gather_passages, hard_negatives, ranked
from model_source import DTYPES
from pair_rows import PairRow, read_pair_files
from run import plain_errors
from templates import TEMPLATES

PASSAGES_AT_ONCE = 8_192


def mine(
    encoder: Encoder, rows: list[PairRow], passages: Passages, count: int, depth: int, guards: Guards,
    query_tokens: int = 64, passage_tokens: int = 160,
) -> Iterator[dict]:  # fmt: skip
    """Rows of JSONL in our own layout, in the order given. Passages are embedded block by block."""
    device = next(encoder.model.parameters()).device
    embed_query, embed_passage = encoder.embedder(query_tokens), encoder.embedder(passage_tokens)
    queries = torch.from_numpy(embed_query([row.query for row in rows], "ebar")).to(device)
    parts = (passages.texts[i : i + PASSAGES_AT_ONCE] for i in range(0, len(passages.texts), PASSAGES_AT_ONCE))
    blocks = (torch.from_numpy(embed_passage(part, "ebae")).to(device) for part in parts)
    best = ranked(rows, queries, blocks, passages, depth)
    for row, mined in zip(rows, hard_negatives(rows, passages, best, count, guards)):
        for positive in row.positives:
            yield {
                "query": row.query, "positive": positive, "source": row.source, "title": row.title,
                "negatives": [passages.texts[number] for number in mined.numbers],
                "scores": [round(score, 5) for score in mined.scores],
                "positive_score": round(mined.positive_score, 5),
            }  # fmt: skip


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="checkpoint or adapter folder, or Hugging Face id")
    parser.add_argument("--template", choices=[*TEMPLATES])
    parser.add_argument("--pairs", type=options.existing_file, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--corpus", type=options.existing_file, help="further passages: _id, title, text a line")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--limit", type=options.positive, help="read only the first so many rows of each file")
    parser.add_argument("--count", type=options.positive, default=15, help="negatives a query (default %(default)s)")
    parser.add_argument("--depth", type=options.positive, default=200, help="how many ranks are looked at")
    parser.add_argument("--skip-first", type=int, default=Guards.skip_first, help="best ranks passed over")
    parser.add_argument("--margin", type=float, default=Guards.margin, help="how far below the positive's score (default %(default)s)")
    parser.add_argument("--share", type=float, default=Guards.share, help="at most this share of its score (default %(default)s)")
    parser.add_argument("--allow-same-title", action="store_true")
    parser.add_argument("--query-tokens", type=options.positive, default=64)
    parser.add_argument("--passage-tokens", type=options.positive, default=160)
    parser.add_argument("--dtype", choices=[*DTYPES], default="fp32")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    given = parse(arguments)
    rows = list(read_pair_files(given.pairs, given.limit))
    guards = Guards(given.margin, given.share, not given.allow_same_title, given.skip_first)
    encoder = load_encoder(given.model, given.template, DTYPES[given.dtype])
    passages = gather_passages(rows, given.corpus)
    partial, counts = given.out.with_name(given.out.name + ".partial"), []
    mined = mine(
        encoder, rows, passages, given.count, given.depth, guards, given.query_tokens, given.passage_tokens
    )
    with partial.open("w", encoding="utf-8") as file:
        for row in mined:
            counts.append(len(row["negatives"]))
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    partial.rename(given.out)
    short = sum(count < given.count for count in counts)
    print(f"{len(counts)} pairs, {len(passages.texts)} passages; {short} with fewer than {given.count}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(plain_errors(main))
