"""Judged sets in BEIR's layout: documents, queries, and which documents are relevant to which query.

The rules are those of `llara-serve evaluate`, so that both read the same set the same way.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from llara_train.data.json_lines import read_json_lines

Judgements = dict[str, dict[str, int]]

# A heading names its columns by one of these in its first or last column.
FIRST_HEADING = re.compile(r"(query|topic|q)?[-_ ]?id|query|topic", re.IGNORECASE)
LAST_HEADING = re.compile(r"score|rel|relevanc[ey]|label|grade|judge?ment", re.IGNORECASE)
# Beyond what any judge gives.
GRADE_MAX = 1_000_000


class JudgedSet(NamedTuple):
    """One BEIR folder: ids and texts ("title text" where there is a title), and relevance by query id."""

    document_ids: list[str]
    documents: list[str]
    query_ids: list[str]
    queries: list[str]
    judgements: Judgements
    # The queries are documents under their own ids, which are then no results of theirs (BEIR's rule).
    leave_out_same_id: bool = False


def read_judged_set(folder: Path) -> JudgedSet:
    """The set of one folder; queries without a relevant document or without text are left out.

    Raises FileNotFoundError, and ValueError with file and line for what cannot be read or stands there twice.
    """
    judgements = _read_judgements(folder / "qrels.tsv")
    queries = {key: text for key, _, text in _rows(folder / "queries.jsonl") if key in judgements and text.strip()}
    documents = {key: (title, text) for key, title, text in _rows(folder / "corpus.jsonl") if (title + text).strip()}
    return JudgedSet(
        list(documents),
        [f"{title} {text}".strip() for title, text in documents.values()],
        list(queries),
        list(queries.values()),
        judgements,
        _queries_are_documents(queries, documents, judgements),
    )


def _rows(file: Path) -> Iterator[tuple[str, str, str]]:
    """Id, title and text of each row; the last two may be empty."""
    seen = set()
    for number, row in enumerate(read_json_lines(file), 1):
        key, title, text = row.get("_id"), row.get("title") or "", row.get("text") or ""
        if isinstance(key, bool) or not isinstance(key, int | str) or key == "":
            raise ValueError(f"{file}, row {number}: lacks _id, a string or a whole number")
        if not isinstance(title, str) or not isinstance(text, str):
            raise ValueError(f"{file}, row {number}: title or text is not a string")
        if str(key) in seen:
            raise ValueError(f"{file}, row {number}: {key} is there twice")
        seen.add(str(key))
        yield str(key), title.strip(), text


def _read_judgements(file: Path) -> Judgements:
    """Relevant documents by query, with their grades. Ids are as they are written; of equal pairs the last counts."""
    grades: Judgements = {}
    columns = None
    # Only a line feed ends a line: an id may hold other separators.
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
        line = line.removesuffix("\r").removeprefix("\ufeff")
        if not line.strip():
            continue
        fields = _fields(line)
        columns = columns or len(fields)
        if number == 1 and _is_heading(fields):
            continue
        grade = _grade(fields[-1])
        if len(fields) not in (3, 4) or len(fields) != columns or grade is None or not fields[0] or not fields[-2]:
            raise ValueError(f'{file}, line {number}: not "query-id<TAB>corpus-id<TAB>score" with a whole number')
        grades.setdefault(fields[0], {})[fields[-2]] = grade
    relevant = {query: {key: grade for key, grade in of.items() if grade > 0} for query, of in grades.items()}
    return {query: of for query, of in relevant.items() if of}


def _fields(line: str) -> list[str]:
    fields, words = line.rstrip("\t").split("\t"), line.split()
    return words if len(fields) == 1 and len(words) == 4 else fields


def _is_heading(fields: list[str]) -> bool:
    first, last = fields[0].strip(), fields[-1].strip()
    named = FIRST_HEADING.fullmatch(first) or LAST_HEADING.fullmatch(last)
    return len(fields) >= 3 and _grade(last) is None and named is not None


def _grade(field: str) -> int | None:
    found = re.fullmatch(r"([+-]?[0-9]+)(\.0+)?", field.strip())
    return int(found[1]) if found and abs(int(found[1])) <= GRADE_MAX else None


def _queries_are_documents(
    queries: dict[str, str], documents: dict[str, tuple[str, str]], judgements: Judgements
) -> bool:
    """Whether at least half of the queries are documents of the same id and text, and none is its own answer."""
    if any(judgements[key].get(key, 0) > 0 for key in queries):
        return False
    same = sum(_is_document(_words(text), documents[key]) for key, text in queries.items() if key in documents)
    return bool(queries) and same >= len(queries) / 2


def _is_document(query: str, document: tuple[str, str]) -> bool:
    title, text = document
    body = _words(text)
    return query != "" and (query in _words(f"{title} {text}") or (body != "" and body in query))


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


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
