import json

import numpy as np
import torch

from llara_train.cli import mine as command
from llara_train.cli.argument_words import words_of
from llara_train.data.layouts import PairRow, normalised, pair_row
from llara_train.mining.exact_search import ExactSearch
from llara_train.mining.hard_negatives import Guards, Passages, Ranked, gather_passages, hard_negatives, ranked
from tests.toys.texts import pair_file


def test_exact_search_in_blocks_equals_one_sort():
    generator = torch.Generator().manual_seed(1)
    queries, passages = (torch.randn(count, 8, generator=generator) for count in (5, 60))
    passages[40] = passages[3]
    search = ExactSearch(queries, 7)
    for block in passages.split(9):
        search.add(block)
    whole = (queries @ passages.T).sort(dim=1, descending=True, stable=True)
    assert search.found().numbers.equal(whole.indices[:, :7])
    assert torch.allclose(search.found().scores, whole.values[:, :7])


ROWS = [
    PairRow("moon", ("the moon pulls",), (), "toy", "Tides"),
    PairRow("Moon!", ("a lunar month",), (), "toy"),
    PairRow("bread", ("yeast", "a starter"), (), "toy"),
]


def passages_of(tmp_path):
    corpus = tmp_path / "corpus.jsonl"
    documents = [
        ("Tides", "of the sea"),
        ("Moon", "landing"),
        ("", "the moon, pulls"),
        ("Tyres", "soft"),
        ("Oil", "can"),
    ]
    corpus.write_text("".join(json.dumps({"_id": t, "title": t, "text": x}) + "\n" for t, x in documents))
    return gather_passages(ROWS, corpus)


def mined(passages, scores, guards, row=0, count=9):
    """`scores` by passage, best first or not, for one row; its positives' are among them."""
    numbers = [passages.numbers[normalised(text)] for text in scores]
    order = np.argsort([-score for score in scores.values()], kind="stable")
    found = (
        torch.tensor([[numbers[i] for i in order]] * 3),
        torch.tensor([[list(scores.values())[i] for i in order]] * 3),
    )
    own = max(scores[text] for text in ROWS[row].positives)
    best = Ranked(
        ExactSearch(torch.zeros(3, 1), 1).found()._replace(numbers=found[0], scores=found[1]), torch.full((3,), own)
    )
    result = list(hard_negatives(ROWS, passages, best, count, guards))[row]
    return [passages.texts[number] for number in result.numbers]


def test_each_guard_keeps_its_false_negatives_out(tmp_path):
    passages = passages_of(tmp_path)
    assert isinstance(passages, Passages) and len(passages.texts) == 8  # a copy of a positive is no passage of its own
    scores = {
        "the moon pulls": 0.8,
        "a lunar month": 0.7,
        "Tides of the sea": 0.6,
        "Moon landing": 0.55,
        "Tyres soft": 0.79,
        "Oil can": 0.5,
        "yeast": 0.3,
    }
    assert mined(passages, scores, Guards()) == ["Oil can", "yeast"]
    assert mined(passages, scores, Guards(share=1.0)) == ["Tyres soft", "Oil can", "yeast"]
    assert mined(passages, scores, Guards(margin=0.4)) == ["yeast"]
    assert mined(passages, scores, Guards(same_title=False)) == ["Tides of the sea", "Moon landing", "Oil can", "yeast"]
    assert mined(passages, scores, Guards(skip_first=6)) == ["yeast"]
    assert mined(passages, scores, Guards(), count=1) == ["Oil can"]


def test_the_best_positive_is_what_scores_are_measured_against(tmp_path):
    passages = passages_of(tmp_path)
    generator = torch.Generator().manual_seed(2)
    vectors = torch.nn.functional.normalize(torch.randn(8, 16, generator=generator), dim=1)
    queries = torch.nn.functional.normalize(torch.randn(3, 16, generator=generator), dim=1)
    best = ranked(ROWS, queries, vectors.split(3), passages, 8)
    wanted = [vectors[0] @ queries[0], vectors[1] @ queries[1], max(vectors[2] @ queries[2], vectors[3] @ queries[2])]
    assert torch.allclose(best.positive_scores, torch.stack(wanted), atol=1e-6)


def test_the_command_writes_pairs_with_scored_negatives(checkpoint, tmp_path):
    pairs = pair_file(tmp_path / "pairs.jsonl", 24)
    out = tmp_path / "mined.jsonl"
    options = {"model": checkpoint, "pairs": pairs, "out": out, "count": 3, "share": 1.0, "margin": 0.01}
    assert command.main(words_of(options)) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["query"] for row in rows] == [json.loads(line)["query"] for line in pairs.read_text().splitlines()]
    assert any(row["negatives"] for row in rows)
    for row in rows:
        assert row["positive"] not in row["negatives"] and len(row["negatives"]) == len(row["scores"]) <= 3
        assert row["scores"] == sorted(row["scores"], reverse=True)
        assert all(score <= row["positive_score"] - 0.01 + 1e-4 for score in row["scores"])
        assert pair_row(row, "x").negatives == tuple(row["negatives"])


def test_the_layouts_of_others_are_read():
    tevatron = {
        "query_id": "1",
        "query": "q",
        "positive_passages": [{"docid": "7", "title": "T", "text": "x"}],
        "negative_passages": [{"docid": "8", "text": "y"}],
    }
    assert pair_row(tevatron, "msmarco") == PairRow("q", ("T x",), ("y",), "msmarco", "T")
    assert pair_row({"query": "q", "pos": ["a", "b"], "neg": ["c"]}, "s") == PairRow("q", ("a", "b"), ("c",), "s")
