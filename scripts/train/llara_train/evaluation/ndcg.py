"""nDCG@10 by exact search, without an index."""

import math
from pathlib import Path

import numpy as np

from llara_train.data.judged_sets import JudgedSet, read_judged_set, smaller
from llara_train.model.encoder import Embed

CUT = 10


def ndcg(ranked: list[str], relevant: dict[str, int], cut: int = CUT) -> float:
    """nDCG of one ranking; gain: the judgement itself, discount: log2(rank + 1), as in trec_eval's ndcg_cut."""
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


def evaluate(
    embed: Embed, data: Path, sets: list[str], max_queries: int | None = None, max_documents: int | None = None
) -> dict[str, float]:
    """nDCG@10 by set, rounded to four places. Raises FileNotFoundError for a set that is not under `data`/eval."""
    figures = {}
    for name in sets:
        judged = smaller(read_judged_set(data / "eval" / name), max_queries, max_documents)
        queries, documents = embed(judged.queries, "ebar"), embed(judged.documents, "ebae")
        figures[name] = round(mean_ndcg(judged, queries, documents), 4)
    return figures
