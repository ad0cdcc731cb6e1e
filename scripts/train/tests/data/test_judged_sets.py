import json
from pathlib import Path

import pytest

from llara_train.data.judged_sets import read_judged_set


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows(tmp_path / "corpus.jsonl", [{"_id": "1", "title": " T ", "text": "one"}, {"_id": 2, "text": "two"}])
    rows(tmp_path / "queries.jsonl", [{"_id": "q1", "text": "q"}, {"_id": "q2", "text": "unjudged"}])
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\t2\t1\nq1\t1\t0\n")
    return tmp_path


def rows(file: Path, values: list[dict[str, object]]) -> None:
    file.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), encoding="utf-8")


def test_documents_judged_queries_and_grades(folder):
    judged = read_judged_set(folder)
    assert judged.document_ids == ["1", "2"] and judged.documents == ["T one", "two"]
    assert judged.query_ids == ["q1"] and judged.judgements == {"q1": {"2": 1}}
    assert not judged.leave_out_same_id


@pytest.mark.parametrize(
    "qrels",
    [
        "q1\td1\t1\nq1\td2\t0\n",
        "qid\tdocid\trelevance\nq1\td1\t1\n",
        "q1\td1\t1\t\r\nq1\td2\t0\t\r\n",
        "q1\t0\td1\t1\n",
        "q1 0 d1 1\nq1 0 d2 -1\n",
        "\ufeffq1\td1\t2\nq1\td1\t1.0\n",
    ],
)
def test_shapes_of_qrels(folder, qrels):
    (folder / "qrels.tsv").write_text(qrels, encoding="utf-8")
    assert read_judged_set(folder).judgements == {"q1": {"d1": 1}}


def test_ids_are_kept_exactly(folder):
    rows(folder / "corpus.jsonl", [{"_id": 9007199254740993, "text": "a\u2028b"}, {"_id": " 1\u2028", "text": "c"}])
    (folder / "qrels.tsv").write_text("q1\t9007199254740993\t1\nq1\t 1\u2028\t1\n", encoding="utf-8")
    judged = read_judged_set(folder)
    assert judged.document_ids == ["9007199254740993", " 1\u2028"]
    assert judged.judgements == {"q1": {"9007199254740993": 1, " 1\u2028": 1}}


def test_titles_alone_and_queries_without_text(folder):
    rows(folder / "corpus.jsonl", [{"_id": "1", "title": "T"}, {"_id": "2", "text": ""}, {"_id": "3", "text": "c"}])
    rows(folder / "queries.jsonl", [{"_id": "q1", "text": " "}, {"_id": "q2"}, {"_id": "q3", "text": "q"}])
    (folder / "qrels.tsv").write_text("q1\t1\t1\nq2\t1\t1\nq3\t1\t1\n")
    judged = read_judged_set(folder)
    assert judged.documents == ["T", "c"] and judged.query_ids == ["q3"]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("corpus.jsonl", '{"_id":"1","text":"a"}\n{"_id":1,"text":"b"}\n', "row 2: 1 is there twice"),
        ("queries.jsonl", '{"_id":"q1","text":"a"}\n{"_id":"q1","text":"b"}\n', "row 2: q1 is there twice"),
        ("corpus.jsonl", '{"_id":1.5,"text":"a"}\n', "lacks _id"),
        ("corpus.jsonl", '{"_id":"1","text":5}\n', "not a string"),
        ("qrels.tsv", "q1\td1\t0.5\n", "line 1: not"),
        ("qrels.tsv", "q1\td1\thigh\n", "line 1: not"),
        ("qrels.tsv", "q1\td1\t1\nq1\td1\t1\tnote\n", "line 2: not"),
    ],
)
def test_what_cannot_be_read_is_named(folder, file, content, message):
    (folder / file).write_text(content)
    with pytest.raises(ValueError, match=message):
        read_judged_set(folder)


def test_queries_that_are_documents_are_known_by_their_texts(folder):
    rows(folder / "corpus.jsonl", [{"_id": str(i), "title": "T", "text": f"the text {i}"} for i in range(3)])
    rows(folder / "queries.jsonl", [{"_id": str(i), "text": f"T  The TEXT {i}."} for i in range(2)])
    (folder / "qrels.tsv").write_text("0\t1\t1\n1\t2\t1\n")
    assert read_judged_set(folder).leave_out_same_id
    (folder / "qrels.tsv").write_text("0\t0\t1\n1\t2\t1\n")
    assert not read_judged_set(folder).leave_out_same_id
    rows(folder / "queries.jsonl", [{"_id": str(i), "text": "another question"} for i in range(2)])
    (folder / "qrels.tsv").write_text("0\t1\t1\n1\t2\t1\n")
    assert not read_judged_set(folder).leave_out_same_id
