import json
import math

import numpy as np
import pytest
import torch

from llara_train.data.batch_order import MixedOrder, ShuffledOrder, source_weights
from llara_train.data.contrastive_batch import contrastive_batch
from llara_train.data.pairs import PairFiles, prepare_pairs
from llara_train.model.tokenizer import TextTokenizer
from llara_train.objectives.info_nce import Guide, Objective, contrastive_loss, teacher_gap
from tests.toys.texts import pair_file

NOTHING_HIDDEN = torch.zeros(2, 3, dtype=torch.bool)


def test_info_nce_by_hand():
    queries = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    passages = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    labels = torch.tensor([0, 1])

    def nll(scores, at):
        return -math.log(math.exp(scores[at]) / sum(map(math.exp, scores)))

    loss, _parts = contrastive_loss(queries, passages, labels, NOTHING_HIDDEN, None, Objective(temperature=0.5))
    assert loss.item() == pytest.approx((nll([2, 1.2, 0], 0) + nll([0, 1.6, 2], 1)) / 2, abs=1e-5)
    hidden = NOTHING_HIDDEN.clone()
    hidden[1, 2] = True
    loss, _ = contrastive_loss(queries, passages, labels, hidden, None, Objective(temperature=0.5))
    assert loss.item() == pytest.approx((nll([2, 1.2, 0], 0) + nll([0, 1.6], 1)) / 2, abs=1e-5)
    both, _ = contrastive_loss(queries, passages, labels, hidden, None, Objective(temperature=0.5, both_ways=True))
    back = (nll([2, 0], 0) + nll([1.2, 1.6], 1)) / 2
    assert both.item() == pytest.approx((loss.item() + back) / 2, abs=1e-5)


@pytest.mark.parametrize("kind", ["kl", "margin"])
def test_the_gap_is_zero_at_the_teacher_and_only_there(kind):
    objective = Objective(teacher=1, teacher_loss=kind, teacher_temperature=0.5)
    scores = torch.tensor([[0.9, 0.1, 0.4], [0.2, 0.7, 0.3]])
    labels, missing = torch.tensor([0, 1]), NOTHING_HIDDEN.clone()
    missing[0, 2] = True
    same = scores / 0.5 + torch.tensor([[3.0], [-1.0]])  # a constant a query changes neither
    elsewhere = same.clone()
    elsewhere[0, 2] += 5
    assert teacher_gap(same, labels, Guide(scores, missing), objective).item() == pytest.approx(0, abs=1e-6)
    assert teacher_gap(elsewhere, labels, Guide(scores, missing), objective).item() == pytest.approx(0, abs=1e-6)
    assert teacher_gap(same.flip(1), labels, Guide(scores, missing), objective).item() > 0.03


@pytest.fixture
def pairs(tokenizer, tmp_path):
    files = [pair_file(tmp_path / "one.jsonl", 40), pair_file(tmp_path / "two.jsonl", 14)]
    prepare_pairs(tmp_path / "pairs", files, TextTokenizer(tokenizer, {}), 32, 32)
    return PairFiles(tmp_path / "pairs")


def test_every_step_reads_one_source_by_its_weight(pairs):
    weights = source_weights(pairs.sources, pairs.names, {"two": 40 / 14})
    order = MixedOrder(pairs.sources, weights, size=7, steps=60, seed=3)
    drawn = []
    for step in range(60):
        batch = order.batch(step)
        assert len(batch) == 7 and len(set(pairs.sources[batch])) == 1
        drawn.append(pairs.names[pairs.sources[batch[0]]])
    assert 18 <= drawn.count("two") <= 42
    steps = [i for i, name in enumerate(drawn) if name == "two"][:2]
    assert sorted(np.concatenate([order.batch(step) for step in steps])) == list(np.flatnonzero(pairs.sources == 1))


def test_an_order_reads_everything_once_an_epoch_and_can_start_anywhere():
    order = ShuffledOrder(10, 4, seed=1)
    together = np.concatenate([order.batch(step) for step in range(5)])
    assert sorted(together[:10]) == sorted(together[10:]) == list(range(10))
    assert together[:10].tolist() != together[10:].tolist()
    assert ShuffledOrder(10, 4, seed=1).batch(3).tolist() == order.batch(3).tolist()


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
