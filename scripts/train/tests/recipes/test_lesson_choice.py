from llara_train.data.corpus import Pair
from recipes.mini.lesson_choice import LONG_PASSAGES, second_texts
from tests.toys.data import toy_data


def test_round_two_has_what_round_one_left_out(tmp_path):
    data = toy_data(tmp_path / "data", 60)
    sample = [Pair("a query", f"passage {i}", "enwiki") for i in range(5)]
    texts = second_texts(sample, 3, data, seed=1)
    assert {"passage 3", "passage 4"} <= {text.text for text in texts if text.prompt == "ebae"}
    assert "passage 2" not in {text.text for text in texts}
    long = [text for text in texts if text.source in LONG_PASSAGES and text.prompt == "ebae" and len(text.text) > 20]
    assert long and all(len(text.text) > 450 for text in long)
    assert second_texts(sample, 3, data, seed=1) == texts
    known = next(text.text for text in texts if text.prompt == "ebar")
    again = second_texts([Pair(known, "p", "arxiv")], 3, data, seed=1)
    assert known not in {text.text for text in again}
