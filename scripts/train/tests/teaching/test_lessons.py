"""Lesson files, the choice of texts, and a teacher's vectors in parts."""

import json

import numpy as np
import pytest

from llara_train.model.templates import PAPER
from llara_train.model.tokenizer import TextTokenizer
from llara_train.teaching.lessons import LessonText, read_lesson_texts, read_lessons, vectors_file, write_lesson_texts

LESSONS = [LessonText("ebar", "lift of a wing", "arxiv"), LessonText("ebae", "letters cross the sea", "é\u2028")]


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
