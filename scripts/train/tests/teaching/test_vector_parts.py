import numpy as np
import pytest

from llara_train.teaching.vector_parts import save_vectors

TEXTS = [f"text {i}" for i in range(10)]


def lengths(texts: list[str]) -> np.ndarray:
    return np.array([[len(text), sum(map(ord, text))] for text in texts], np.float32)


def test_vectors_go_on_where_they_were_stopped(tmp_path):
    file, read = tmp_path / "lessons.npy", []

    def encode(texts):
        if len(read) == 8:
            raise KeyboardInterrupt
        read.extend(texts)
        return lengths(texts)

    with pytest.raises(KeyboardInterrupt):
        save_vectors(file, TEXTS, encode, part_texts=4)
    assert not file.exists()
    rest = []
    save_vectors(file, TEXTS, lambda texts: rest.extend(texts) or lengths(texts), part_texts=4)
    assert rest == TEXTS[8:]
    assert np.array_equal(np.load(file), lengths(TEXTS).astype(np.float16))
    assert [found.name for found in tmp_path.iterdir()] == ["lessons.npy"]


def test_parts_of_other_texts_are_not_taken(tmp_path):
    def first_part_alone(texts):
        if texts[0] != TEXTS[0]:
            raise KeyboardInterrupt
        return lengths(texts)

    with pytest.raises(KeyboardInterrupt):
        save_vectors(tmp_path / "lessons.npy", TEXTS, first_part_alone, part_texts=4)
    others = ["another", *TEXTS[1:]]
    save_vectors(tmp_path / "lessons.npy", others, lengths, part_texts=4)
    assert np.array_equal(np.load(tmp_path / "lessons.npy"), lengths(others).astype(np.float16))
