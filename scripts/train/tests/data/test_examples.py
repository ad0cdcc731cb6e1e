import gzip
import json

import numpy as np
import pytest
from accelerate import Accelerator

from llara_train.data.chunking import Chunking
from llara_train.data.examples import frequent_ids, open_examples, prepare_examples
from llara_train.model.source import load_source
from llara_train.model.tokenizer import TextTokenizer
from llara_train.objectives.ebae_ebar import Adaptation, Weights
from llara_train.running.learning_rates import Rates
from llara_train.running.loop import Training
from llara_train.training.from_text import AdaptPlan, AdaptStep


@pytest.fixture
def text_tokenizer(tokenizer):
    return TextTokenizer(tokenizer, {})


def prepared(folder, texts, tokenizer, chunking):
    file = folder / "text.jsonl.gz"
    with gzip.open(file, "wt") as lines:
        lines.writelines(json.dumps({"text": text}) + "\n" for text in texts)
    prepare_examples(folder / "examples", [file], tokenizer, chunking, seed=1)
    return open_examples(folder / "examples")


def test_examples_pair_chunks_of_one_document_only(text_tokenizer, tmp_path):
    texts = ["aa bb cc dd ee ff", "gg hh ii jj", "kk"]
    store = prepared(tmp_path, texts, text_tokenizer, Chunking(size=2, min_tokens=1))
    decoded = [
        tuple(text_tokenizer.whole.decode(part.tolist()).strip() for part in store[i]) for i in range(len(store))
    ]
    assert decoded == [("aa bb", "cc dd"), ("cc dd", "ee ff"), ("gg hh", "ii jj")]


def test_targets_never_contain_words_cut_from_the_input(checkpoint, tmp_path):
    source = load_source(str(checkpoint), "paper")
    text = "wing " * 30 + "postage " * 10 + "sea " * 30 + "stamps " * 10
    store = prepared(tmp_path, [text], source.tokenizer, Chunking(size=40, max_tokens=12))
    training = Training(Accelerator(cpu=True), Adaptation(source.model, Weights()), Rates(layers=1e-3))
    step = AdaptStep(training, store, source.prompts, frozenset(), AdaptPlan(1, 1, Rates(layers=1e-3)))
    batch, (own,), (following,) = step.inputs([store[0]])
    read = batch.ids[0, batch.bodies[0, 0] : batch.bodies[0, 1]].tolist()
    wing, postage, sea, stamps = (set(ids) for ids in source.tokenizer.encode([" wing", " postage", " sea", " stamps"]))
    assert len(read) == len(own) == len(following) == 12
    assert set(own.tolist()) == set(read) <= wing and not postage & set(own.tolist())
    assert set(following.tolist()) <= sea and not stamps & set(following.tolist())


def test_what_is_prepared_is_kept_until_the_data_changes(text_tokenizer, tmp_path):
    chunking = Chunking(size=2, min_tokens=1)
    prepared(tmp_path, ["aa bb cc dd"], text_tokenizer, chunking)
    first = (tmp_path / "examples/ids.bin").stat().st_mtime_ns
    prepare_examples(tmp_path / "examples", [tmp_path / "text.jsonl.gz"], text_tokenizer, chunking, seed=1)
    assert (tmp_path / "examples/ids.bin").stat().st_mtime_ns == first
    assert len(prepared(tmp_path, ["aa bb cc dd ee ff"], text_tokenizer, chunking)) == 2


def test_the_most_frequent_ids_can_be_left_out(text_tokenizer, tmp_path):
    store = prepared(tmp_path, ["sea sea sea sea lift wing"] * 3, text_tokenizer, Chunking(size=3, min_tokens=1))
    ids = np.concatenate([store.chunks[i] for i in range(len(store.chunks))])
    (most,) = frequent_ids(store, 1)
    assert np.bincount(ids)[most] == np.bincount(ids).max()


def test_a_line_without_text_is_told(text_tokenizer, tmp_path):
    file = tmp_path / "bad.jsonl"
    file.write_text('{"text": "fine"}\n{"body": 1}\n')
    with pytest.raises(ValueError, match="row 2"):
        prepare_examples(tmp_path / "out", [file], text_tokenizer, Chunking(), seed=1)
