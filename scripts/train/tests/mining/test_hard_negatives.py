import json

import numpy as np
import torch

from llara_train.data.layouts import PairRow, normalised
from llara_train.mining.exact_search import ExactSearch
from llara_train.mining.hard_negatives import Guards, Passages, Ranked, gather_passages, hard_negatives, ranked

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
