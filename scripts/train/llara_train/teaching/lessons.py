"""Lessons: texts, the prompt each is read with, and the vectors a teacher gave them.

`<name>.jsonl` holds a line `{"prompt": "ebar" | "ebae", "text": ..., "source": ...}` a text, `<name>.npy` beside it the
vectors, float16 [texts, hidden].
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from llara_train.data.json_lines import read_json_lines
from llara_train.model.prompts import Prompts
from llara_train.model.tokenizer import TextTokenizer

TEXTS_AT_ONCE = 4_096


class LessonText(NamedTuple):
    """A text to learn from, the prompt it is read with, and the collection it comes from."""

    prompt: str
    """ebar for a query, ebae for a passage."""
    text: str
    source: str


class Lessons:
    """`rows` of ids, BOS and prompt included, and `wanted` unit rows [texts, hidden]."""

    def __init__(self, rows: Sequence[Sequence[int] | np.ndarray], wanted: Tensor) -> None:
        self.rows, self.wanted = rows, F.normalize(wanted, dim=-1)

    def __len__(self) -> int:
        return len(self.rows)

    def padded(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        """Ids [texts, longest] filled up on the right, and the index of each row's last id."""
        rows = [torch.tensor(self.rows[i]) for i in indices]
        ends = torch.tensor([len(row) - 1 for row in rows])
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), ends


def write_lesson_texts(file: Path, texts: Iterable[LessonText]) -> None:
    """Writes the texts as JSONL; their vectors belong into `vectors_file(file)`."""
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(text._asdict(), ensure_ascii=False) + "\n" for text in texts)


def read_lesson_texts(file: Path) -> list[LessonText]:
    """The texts of a lessons file. Raises ValueError for a line that is no lesson."""
    found = []
    for number, row in enumerate(read_json_lines(file), 1):
        if row.get("prompt") not in ("ebar", "ebae") or not isinstance(row.get("text"), str):
            raise ValueError(f'{file}, lesson {number}: each line needs "prompt" ("ebar" or "ebae") and "text"')
        found.append(LessonText(row["prompt"], row["text"], row.get("source", "")))
    return found


def vectors_file(texts: Path) -> Path:
    """Where the teacher's vectors of a lessons file lie."""
    return texts.with_suffix(".npy")


def read_vectors(texts: Path, count: int) -> np.ndarray:
    """[count, hidden] float16. Raises ValueError when the file beside `texts` is missing or of other texts."""
    file = vectors_file(texts)
    if not file.is_file():
        raise ValueError(f"{file} does not exist: put the teacher's vectors there, beside {texts.name}")
    vectors = np.load(file)
    if len(vectors) != count:
        raise ValueError(
            f"{file} has {len(vectors)} vectors, but {texts.name} has {count} texts: make the vectors again"
        )
    return vectors


def read_lessons(files: list[Path], tokenizer: TextTokenizer, prompts: Prompts, tokens: int) -> Lessons:
    """All lessons of the files, one after the other, texts cut at `tokens` without the prompt."""
    rows: list[np.ndarray] = []
    wanted = []
    for file in files:
        texts = read_lesson_texts(file)
        wanted.append(torch.from_numpy(read_vectors(file, len(texts))))
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            some = texts[start : start + TEXTS_AT_ONCE]
            bodies = tokenizer.encode([text.text for text in some], tokens)
            rows += [
                np.array(within_prompt(body, prompts, text.prompt), np.int32)
                for body, text in zip(bodies, some, strict=True)
            ]
    return Lessons(rows, torch.cat(wanted).float())


def within_prompt(body: list[int], prompts: Prompts, prompt: str) -> list[int]:
    """Ids of a text with the prompt around it."""
    return [*prompts.prefix, *body, *prompts.suffix(prompt)]


def lesson_rows(
    tokenizer: TextTokenizer, texts: list[str], prompts: Prompts, prompt: str, tokens: int
) -> list[list[int]]:
    """Ids of each text within its prompt; the text is cut at `tokens`, the prompt never."""
    return [within_prompt(body, prompts, prompt) for body in tokenizer.encode(texts, tokens)]
