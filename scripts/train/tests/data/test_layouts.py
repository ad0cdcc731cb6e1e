from llara_train.data.layouts import PairRow, pair_row


def test_the_layouts_of_others_are_read():
    tevatron = {
        "query_id": "1",
        "query": "q",
        "positive_passages": [{"docid": "7", "title": "T", "text": "x"}],
        "negative_passages": [{"docid": "8", "text": "y"}],
    }
    assert pair_row(tevatron, "msmarco") == PairRow("q", ("T x",), ("y",), "msmarco", "T")
    assert pair_row({"query": "q", "pos": ["a", "b"], "neg": ["c"]}, "s") == PairRow("q", ("a", "b"), ("c",), "s")
