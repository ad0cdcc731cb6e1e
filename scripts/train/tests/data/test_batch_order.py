import numpy as np
import pytest

from llara_train.data.batch_order import MixedOrder, ShuffledOrder, source_weights
from llara_train.data.pairs import PairFiles, prepare_pairs
from llara_train.model.tokenizer import TextTokenizer
from tests.toys.texts import pair_file


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
