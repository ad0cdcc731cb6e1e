"""nDCG@10 by exact search, without an index."""

import math
from pathlib import Path

import numpy as np

from llara_train.data.judged_sets import JudgedSet, read_judged_set, smaller
from llara_train.model.encoder import Embed

CUT = 10


def ndcg(ranked: list[str], relevant: dict[str, int], cut: int = CUT) -> float:
    """nDCG of one ranking; gain: the judgement itself, discount: log2(rank + 1), as in trec_eval's ndcg_cut.

    Raises ValueError where a document is there twice: it would count twice.
    """
    if len(set(ranked[:cut])) < len(ranked[:cut]):
        raise ValueError("a document is in the ranking twice")
    gained = sum(relevant.get(document, 0) / math.log2(i + 2) for i, document in enumerate(ranked[:cut]))
    best = sum(g / math.log2(i + 2) for i, g in enumerate(sorted(relevant.values(), reverse=True)[:cut]))
    return gained / best if best else 0.0


def mean_ndcg(judged: JudgedSet, queries: np.ndarray, documents: np.ndarray) -> float:
    """Mean over the judged queries; `queries` [queries, d] and `documents` [documents, d] are unit rows."""
    total = 0.0
    places = {document: i for i, document in enumerate(judged.document_ids)}
    for i, query in enumerate(judged.query_ids):
        scores = documents @ queries[i]
        if judged.leave_out_same_id and query in places:
            scores[places[query]] = -np.inf
        total += ndcg(_ranking(judged.document_ids, scores), judged.judgements[query])
    return total / len(judged.query_ids)


def _ranking(ids: list[str], scores: np.ndarray) -> list[str]:
    """The best CUT ids, equal scores by id descending, as trec_eval has them; without those of score minus infinity."""
    least = np.partition(scores, -CUT)[-CUT] if len(scores) > CUT else -np.inf
    best = [j for j in np.flatnonzero(scores >= least) if scores[j] > -np.inf]
    return [ids[j] for j in sorted(best, key=lambda j: (scores[j], ids[j]), reverse=True)[:CUT]]


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
