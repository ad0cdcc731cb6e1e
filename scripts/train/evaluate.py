"""nDCG@10 of a checkpoint on judged sets, for choosing between checkpoints: exact search, no index.

    python evaluate.py --checkpoint ../../.train/checkpoint-final --sets scifact cranfield
"""

import argparse
import json
import math
from pathlib import Path
from typing import Callable

import numpy as np

from corpus import JudgedSet, read_judged_set

CUT = 10


def ndcg(ranked: list[str], relevant: dict[str, int], cut: int = CUT) -> float:
    """Gain is the judgement itself, discount log2(rank + 1), as trec_eval's ndcg_cut has it."""
    gained = sum(relevant.get(document, 0) / math.log2(i + 2) for i, document in enumerate(ranked[:cut]))
    best = sum(g / math.log2(i + 2) for i, g in enumerate(sorted(relevant.values(), reverse=True)[:cut]))
    return gained / best if best else 0.0


def mean_ndcg(judged: JudgedSet, queries: np.ndarray, documents: np.ndarray) -> float:
    """Mean over the judged queries; `queries` [queries, d] and `documents` [documents, d] are unit rows."""
    total = 0.0
    for i, query in enumerate(judged.query_ids):
        scores = documents @ queries[i]
        best = np.argpartition(-scores, CUT)[:CUT]
        ranked = [judged.document_ids[j] for j in best[np.argsort(-scores[best], kind="stable")]]
        total += ndcg(ranked, judged.judgements[query])
    return total / len(judged.query_ids)


Embed = Callable[[list[str], str], np.ndarray]
"""(texts, "ebar" or "ebae") -> unit rows [texts, dimensions]."""


def smaller(judged: JudgedSet, max_queries: int | None, max_documents: int | None) -> JudgedSet:
    """Evenly spread queries; their relevant documents and evenly spread others. Figures rise as documents go."""
    if max_queries is not None and len(judged.queries) > max_queries:
        every = len(judged.queries) // max_queries
        judged = judged._replace(query_ids=judged.query_ids[::every], queries=judged.queries[::every])
    if max_documents is not None and len(judged.documents) > max_documents:
        relevant = {document for query in judged.query_ids for document in judged.judgements[query]}
        others = [i for i, document in enumerate(judged.document_ids) if document not in relevant]
        spread = set(others[:: max(1, len(others) // max(1, max_documents - len(relevant)))])
        keep = [i for i, document in enumerate(judged.document_ids) if document in relevant or i in spread]
        judged = judged._replace(
            document_ids=[judged.document_ids[i] for i in keep], documents=[judged.documents[i] for i in keep]
        )
    return judged


def evaluate(
    embed: Embed, data: Path, sets: list[str], max_queries: int | None = None, max_documents: int | None = None
) -> dict[str, float]:
    figures = {}
    for name in sets:
        judged = smaller(read_judged_set(data / "eval" / name), max_queries, max_documents)
        queries, documents = embed(judged.queries, "ebar"), embed(judged.documents, "ebae")
        figures[name] = round(mean_ndcg(judged, queries, documents), 4)
    return figures


def main() -> None:
    from encoder import load_encoder

    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=root / "../shared/data")
    parser.add_argument("--sets", nargs="+", default=["scifact", "cranfield"])
    parser.add_argument("--max-queries", type=int, default=None)
    parser.add_argument("--max-documents", type=int, default=None, help="quicker, and higher, than the whole set")
    parser.add_argument("--max-tokens", type=int, default=512)
    given = parser.parse_args()
    embed = load_encoder(given.checkpoint).embedder(given.max_tokens)
    print(json.dumps(evaluate(embed, given.data, given.sets, given.max_queries, given.max_documents)))


if __name__ == "__main__":
    main()
