"""Judged sets in BEIR's layout: documents, queries, and which documents are relevant to which query."""

from pathlib import Path
from typing import NamedTuple

from llara_train.data.json_lines import read_json_lines


class JudgedSet(NamedTuple):
    """One BEIR folder: ids and texts ("title text" where there is a title), and relevance by query id."""

    document_ids: list[str]
    documents: list[str]
    query_ids: list[str]
    queries: list[str]
    judgements: dict[str, dict[str, int]]


def read_judged_set(folder: Path) -> JudgedSet:
    """The set of one folder; queries without a relevant document are left out. Raises FileNotFoundError."""
    corpus, queries = (list(read_json_lines(folder / name)) for name in ("corpus.jsonl", "queries.jsonl"))
    judgements: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, score = line.split("\t")
        if int(score) > 0:
            judgements.setdefault(query, {})[document] = int(score)
    queries = [query for query in queries if query["_id"] in judgements]
    return JudgedSet(
        [row["_id"] for row in corpus],
        [f"{row.get('title') or ''} {row['text']}".strip() for row in corpus],
        [row["_id"] for row in queries],
        [row["text"] for row in queries],
        judgements,
    )


def smaller(judged: JudgedSet, max_queries: int | None, max_documents: int | None) -> JudgedSet:
    """About that many queries, evenly spread; their relevant documents and evenly spread others. None: all of them.

    With fewer documents the figures are higher than those of the whole set.
    """
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
