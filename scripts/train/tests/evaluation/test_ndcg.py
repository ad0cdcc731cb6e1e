import math

import numpy as np
import pytest

from llara_train.data.judged_sets import JudgedSet, smaller
from llara_train.evaluation.ndcg import mean_ndcg, ndcg

JUDGED = JudgedSet(
    [f"d{i}" for i in range(30)],
    ["text"] * 30,
    ["q0", "q1"],
    ["one", "two"],
    {"q0": {"d0": 2, "d7": 1}, "q1": {"d1": 1}},
)


def test_ndcg_by_hand():
    assert ndcg(["d7", "x", "d0"], JUDGED.judgements["q0"]) == pytest.approx((1 + 2 / 2) / (2 + 1 / math.log2(3)))
    assert ndcg([f"x{i}" for i in range(10)] + ["d1"], JUDGED.judgements["q1"]) == 0


def test_mean_over_queries_follows_the_scores():
    documents = np.zeros((30, 2), dtype=np.float32)
    documents[0], documents[7], documents[1] = (1, 0), (0.9, 0), (0, 1)
    queries = np.eye(2, dtype=np.float32)
    assert mean_ndcg(JUDGED, queries, documents) == pytest.approx(1.0)
    assert mean_ndcg(JUDGED, queries[::-1], documents) < 0.95


def test_a_smaller_set_keeps_every_relevant_document():
    small = smaller(JUDGED, None, 8)
    assert {"d0", "d1", "d7"} <= set(small.document_ids)
    assert len(small.document_ids) < 12


def test_a_query_that_is_a_document_does_not_find_itself():
    judged = JudgedSet(["a", "b", "c"], ["text"] * 3, ["a"], ["text"], {"a": {"b": 1}}, True)
    documents = np.array([(1, 0), (0.9, 0), (0, 1)], dtype=np.float32)
    query = np.array([(1, 0)], dtype=np.float32)
    assert mean_ndcg(judged, query, documents) == 1
    assert mean_ndcg(judged._replace(leave_out_same_id=False), query, documents) == pytest.approx(1 / math.log2(3))


def test_equal_scores_are_ranked_by_id_descending():
    judged = JudgedSet([f"d{i:02}" for i in range(20)], ["text"] * 20, ["q"], ["text"], {"q": {"d10": 1, "d09": 1}})
    documents = np.ones((20, 1), dtype=np.float32)
    found = (1 / math.log2(11)) / (1 + 1 / math.log2(3))
    assert mean_ndcg(judged, np.ones((1, 1), dtype=np.float32), documents) == pytest.approx(found)


def test_a_document_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        ndcg(["d1", "d1"], JUDGED.judgements["q1"])
