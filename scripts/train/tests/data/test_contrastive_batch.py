import json

import numpy as np
import pytest

from llara_train.data.contrastive_batch import contrastive_batch
from llara_train.data.pairs import PairFiles, prepare_pairs
from llara_train.model.tokenizer import TextTokenizer
from tests.toys.texts import pair_file


@pytest.fixture
def pairs(tokenizer, tmp_path):
    files = [pair_file(tmp_path / "one.jsonl", 40), pair_file(tmp_path / "two.jsonl", 14)]
    prepare_pairs(tmp_path / "pairs", files, TextTokenizer(tokenizer, {}), 32, 32)
    return PairFiles(tmp_path / "pairs")


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_a_batch_is_the_same_for_any_number_of_processes(pairs, processes):
    rows = np.array([4, 0, 9, 30, 2])
    batch = contrastive_batch(pairs, rows, 2, processes, [1, 2])
    alone = contrastive_batch(pairs, rows, 2, 1, [1, 2])
    assert sorted(batch.passages) == sorted(alone.passages)
    by_row = {row: batch.passages[columns].tolist() for row, columns in zip(batch.rows, batch.groups, strict=True)}
    assert by_row == {
        row: alone.passages[columns].tolist() for row, columns in zip(alone.rows, alone.groups, strict=True)
    }
    for row, label, columns in zip(batch.rows, batch.labels, batch.groups, strict=True):
        assert label == columns[0] and batch.passages[label] in pairs.positives[row]
        assert set(batch.passages[columns[1:]]) == set(pairs.negatives[row])


def test_what_answers_the_query_too_does_not_count_as_a_negative(tokenizer, tmp_path):
    rows = [
        {"query": "who?", "pos": ["the sea", "a wing"], "neg": ["cold heat"]},
        {"query": "Who ?", "pos": ["letters"], "neg": ["The  SEA."]},
        {"query": "what?", "pos": ["a Wing!"], "neg": ["old stamps"]},
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    prepare_pairs(tmp_path / "pairs", [file], TextTokenizer(tokenizer, {}), 32, 32)
    pairs = PairFiles(tmp_path / "pairs")
    assert pairs.query_text(1) == "Who ?" and len(pairs.passages) == 5  # copies are one passage
    batch = contrastive_batch(pairs, np.arange(3), 1, 1, [0])
    texts = [pairs.passage_text(number) for number in batch.passages]
    counting = [{texts[j] for j in range(6) if not batch.hidden[i, j]} for i in range(3)]
    own = [texts[label] for label in batch.labels]
    assert not counting[0] & ({"the sea", "a wing", "letters"} - {own[0]})
    assert own[1] in counting[1] and own[0] not in counting[1] - {own[1]}
    assert "letters" in counting[2] and "old stamps" in counting[0]
