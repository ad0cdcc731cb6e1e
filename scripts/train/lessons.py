"""Texts with the vectors a teacher gave them, as rows of ids for the student."""

from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from checkpoint import load_state
from corpus import read_json_lines
from prompts import prompts_of
from tokenizer import BOS
from wordpiece import llama_tokenizer

BODY_TOKENS = 200


class Lessons:
    """`rows` of ids, BOS and prompt included, and `wanted` unit rows [texts, hidden]."""

    def __init__(self, rows: list[list[int]], wanted: Tensor):
        self.rows, self.wanted = rows, F.normalize(wanted, dim=-1)

    def __len__(self) -> int:
        return len(self.rows)

    def padded(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        """Ids [texts, longest] filled up on the right, and the index of each row's last id."""
        rows = [torch.tensor(self.rows[i]) for i in indices]
        ends = torch.tensor([len(row) - 1 for row in rows])
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), ends


def read_lessons(sample: Path, vectors: Path, teacher: Path) -> Lessons:
    """Queries and the taught passages of a sample of pairs, with the teacher's vectors of both."""
    own = load_state(vectors)
    if own is None:
        raise SystemExit(f"{vectors} does not exist; teacher.py makes it")
    pairs = list(read_json_lines(sample))
    tokenizer = llama_tokenizer(teacher)
    prompts = prompts_of(tokenizer, bos=tokenizer.token_to_id(BOS))
    passages = len(own["passages"])
    queries = lesson_rows(tokenizer, [pair["query"] for pair in pairs], prompts.prefix, prompts.ebar)
    positives = lesson_rows(tokenizer, [pair["positive"] for pair in pairs[:passages]], prompts.prefix, prompts.ebae)
    return Lessons(queries + positives, torch.cat([own["queries"], own["passages"]]).float())


def lesson_rows(
    tokenizer: Tokenizer, texts: list[str], prefix: tuple[int, ...], suffix: tuple[int, ...]
) -> list[list[int]]:
    """Ids of each text within its prompt; the text alone is cut."""
    encoded = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    return [[*prefix, *encoding.ids[:BODY_TOKENS], *suffix] for encoding in encoded]
