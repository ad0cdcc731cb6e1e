"""Lesson files, the choice of texts, and a teacher's vectors in parts."""

import json

import numpy as np
import pytest

from llara_train.data.corpus import Pair
from llara_train.model.templates import PAPER
from llara_train.model.tokenizer import TextTokenizer
from llara_train.teaching.lessons import LessonText, read_lesson_texts, read_lessons, vectors_file, write_lesson_texts
from llara_train.teaching.vector_parts import save_vectors
from recipes.mini.lesson_choice import LONG_PASSAGES, second_texts
from tests.toys.data import toy_data

TEXTS = [f"text {i}" for i in range(10)]
LESSONS = [LessonText("ebar", "lift of a wing", "arxiv"), LessonText("ebae", "letters cross the sea", "é\u2028")]


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


def test_lessons_come_back_within_their_prompts(tmp_path, tokenizer):
    files = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    for file in files:
        write_lesson_texts(file, LESSONS)
        np.save(vectors_file(file), np.array([[3.0, 4.0], [0.0, 2.0]], np.float16))
    assert read_lesson_texts(files[0]) == LESSONS
    text_tokenizer = TextTokenizer(tokenizer, {"bos_token": "<s>", "add_bos_token": True})
    prompts = text_tokenizer.prompts(PAPER)
    lessons = read_lessons(files, text_tokenizer, prompts, 3)
    bodies = text_tokenizer.encode([lesson.text for lesson in LESSONS], 3)
    wanted = [[*prompts.prefix, *bodies[0], *prompts.ebar], [*prompts.prefix, *bodies[1], *prompts.ebae]]
    assert [row.tolist() for row in lessons.rows] == wanted * 2 and prompts.prefix == (tokenizer.token_to_id("<s>"),)
    assert np.allclose(lessons.wanted, [[0.6, 0.8], [0, 1]] * 2, atol=1e-3)


def test_what_is_no_lesson_is_told(tmp_path, tokenizer):
    file, text_tokenizer = tmp_path / "lessons.jsonl", TextTokenizer(tokenizer, {})
    prompts = text_tokenizer.prompts(PAPER)
    file.write_text(json.dumps({"prompt": "query", "text": "a"}))
    with pytest.raises(ValueError, match="lesson 1"):
        read_lesson_texts(file)
    write_lesson_texts(file, LESSONS)
    with pytest.raises(ValueError, match="does not exist"):
        read_lessons([file], text_tokenizer, prompts, 8)
    np.save(vectors_file(file), np.ones((3, 2)))
    with pytest.raises(ValueError, match="3 vectors"):
        read_lessons([file], text_tokenizer, prompts, 8)


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
