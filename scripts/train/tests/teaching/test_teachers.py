import json

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

from llara_train.cli import finetune
from llara_train.cli.calling import words_of
from llara_train.model.encoder import load_encoder
from llara_train.running.progress import read_log
from llara_train.teaching.teachers import CrossTeacher, Teacher, load_teacher
from tests.toys.texts import TEXTS, pair_file, topic_documents


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """name -> folder of a random BERT over the toy words: a bi-encoder (mean or first token) or a cross-encoder."""
    words = sorted({word for text in topic_documents(96, 12) for word in text.split()})
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    )
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = BertConfig(vocab_size=len(vocabulary), max_position_embeddings=64, initializer_range=0.5, **sizes)
    root = tmp_path_factory.mktemp("bert")
    torch.manual_seed(4)
    for name, model in (("mean", BertModel(config)), ("first", BertModel(config)), ("cross", None)):
        model = model or BertForSequenceClassification(BertConfig(**{**config.to_dict(), "num_labels": 1}))
        model.save_pretrained(root / name)
        fast.save_pretrained(root / name)
    modules = [{"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
    (root / "first/modules.json").write_text(json.dumps(modules))
    (root / "first/1_Pooling").mkdir()
    (root / "first/1_Pooling/config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    return root


def test_a_bi_encoder_pools_as_its_folder_says(bert):
    texts = ["bade", "dego bafi luma"]
    for name in ("mean", "first"):
        teacher = load_teacher(bert / name)
        assert isinstance(teacher, Teacher)
        ids = teacher.tokenizer(texts[1], return_tensors="pt")
        states = teacher.model(**ids).last_hidden_state[0]
        wanted = states.mean(0) if name == "mean" else states[0]
        found = teacher.vectors(texts)[1]
        assert torch.allclose(found, wanted / wanted.norm(), atol=1e-5)


def test_a_cross_encoder_scores_pairs_whatever_stands_beside_them(bert):
    teacher = load_teacher(bert / "cross")
    assert isinstance(teacher, CrossTeacher)
    queries, passages = ["bade", "dego", "bade"], ["luma", "bafi luma dego bade", "luma"]
    scores = teacher.scores(queries, passages)
    assert scores[0].item() == pytest.approx(scores[2].item(), abs=1e-5)
    assert scores[1].item() == pytest.approx(teacher.scores(["dego"], ["bafi luma dego bade"]).item(), abs=1e-5)


@pytest.mark.parametrize(
    ("name", "loss", "temperature"), [("mean", "kl", 0.1), ("cross", "margin", 1), ("cross", "kl", 1)]
)
def test_distillation_lowers_the_gap_to_the_teacher(checkpoint, bert, tmp_path, name, loss, temperature):
    pairs = pair_file(tmp_path / "pairs.jsonl", 12)
    options = {
        "model": checkpoint,
        "pairs": pairs,
        "out": tmp_path / "run",
        "steps": 40,
        "batch": 12,
        "negatives": 2,
        "rate": 0.003,
        "warm-up": 3,
        "temperature": 0.1,
        "contrast-weight": 0,
        "teacher": bert / name,
        "teacher-loss": loss,
        "teacher-temperature": temperature,
    }
    assert finetune.main(words_of(options)) == 0
    gaps = [row["teacher"] for row in read_log(tmp_path / "run/losses.jsonl")]
    assert np.mean(gaps[-5:]) < 0.6 * np.mean(gaps[:5])
    assert load_encoder(tmp_path / "run/checkpoint").embedder(64)(TEXTS, "ebae").shape == (3, 32)


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"config\.json"):
        load_teacher(tmp_path)
