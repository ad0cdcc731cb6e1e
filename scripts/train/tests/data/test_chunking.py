import random

from llara_train.data.chunking import sentence_chunks, word_chunks


def test_the_next_chunk_is_the_one_behind_in_the_same_document():
    assert word_chunks("a b c d e f g", 3) == ["a b c", "d e f g"]
    assert word_chunks("a b c d e f g h i j k", 3) == ["a b c", "d e f", "g h i j k"]
    assert word_chunks("a b c d e", 3) == ["a b c", "d e"]


def test_sentences_follow_each_other():
    text = "One is here. Two is here. Three is here. Four is here. Five is here. Six is here."
    for seed in range(20):
        chunks = sentence_chunks(text, 3, random.Random(seed))
        assert " ".join(chunks) in text
