"""The command finetune as a user calls it, on pairs that share a topic."""

import json

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from llara_train.cli import finetune
from llara_train.cli.calling import words_of
from llara_train.model.encoder import Encoder, load_encoder
from llara_train.running.progress import read_log
from llara_train.training.from_pairs import FinetuneStep
from tests.toys.texts import TEXTS, pair_file

TOY = {"batch": 12, "negatives": 2, "warm-up": 3, "rate": 0.003, "temperature": 0.05, "micro-tokens": 300}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return pair_file(tmp_path_factory.mktemp("pairs") / "pairs.jsonl", 60)


def tuned(checkpoint, pairs, out, **more):
    """Runs the command; the code it exits with."""
    options = {"model": checkpoint, "pairs": [pairs], "out": out, **TOY, **more}
    return finetune.main(words_of({name.replace("_", "-"): value for name, value in options.items()}))


def accuracy(folder, pairs) -> float:
    """Share of queries (EBAR) that score their positive above their own negatives (EBAE)."""
    rows = [json.loads(line) for line in pairs.read_text().splitlines()]
    embed = load_encoder(folder).embedder(64)
    queries = embed([row["query"] for row in rows], "ebar")
    groups = [
        embed([row[name] if name == "positive" else row["negatives"][0] for row in rows], "ebae")
        for name in ("positive", "negative")
    ]
    scores = [(queries * group).sum(axis=1) for group in groups]
    return float(np.mean(scores[0] > scores[1]))


def test_training_tells_positives_from_negatives(checkpoint, pairs, tmp_path):
    assert tuned(checkpoint, pairs, tmp_path, steps=40) == 0
    log = read_log(tmp_path / "losses.jsonl")
    assert np.mean([row["contrast"] for row in log[-5:]]) < 0.7 * np.mean([row["contrast"] for row in log[:5]])
    assert accuracy(tmp_path / "checkpoint", pairs) > max(0.9, accuracy(checkpoint, pairs))


def test_a_saved_adapter_gives_the_same_vectors_in_peft_merged_and_here(checkpoint, pairs, tmp_path):
    assert tuned(checkpoint, pairs, tmp_path, steps=4, lora=True, merge=True, lora_rank=4) == 0
    settings = json.loads((tmp_path / "adapter/adapter_config.json").read_text())
    assert (settings["r"], settings["lora_alpha"], settings["lora_dropout"]) == (4, 16, 0.1)
    assert sorted(settings["target_modules"]) == sorted(
        ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    )
    base = load_encoder(checkpoint)
    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(checkpoint), tmp_path / "adapter")
    reloaded = Encoder(plain, base.tokenizer, base.prompts).embedder(64)(TEXTS, "ebae")
    merged = load_encoder(tmp_path / "checkpoint").embedder(64)(TEXTS, "ebae")
    opened = load_encoder(tmp_path / "adapter").embedder(64)(TEXTS, "ebae")
    assert np.abs(reloaded - merged).max() < 1e-5 and np.abs(opened - merged).max() < 1e-6
    assert np.abs(base.embedder(64)(TEXTS, "ebae") - merged).max() > 1e-3
    assert json.loads((tmp_path / "adapter/training.json").read_text())["stages"][-1]["lora"]["rank"] == 4


@pytest.mark.parametrize("more", [{}, {"lora": True, "merge": True}], ids=["full", "lora"])
def test_a_resumed_run_ends_where_an_uninterrupted_one_ends(checkpoint, pairs, tmp_path, monkeypatch, more):
    options = {"steps": 5, "save_every": 2, **more}
    assert tuned(checkpoint, pairs, tmp_path / "straight", **options) == 0
    whole_step = FinetuneStep.__call__

    def fails_in_the_fourth(self, step):
        if step == 3:
            raise RuntimeError("power cut")
        return whole_step(self, step)

    monkeypatch.setattr(FinetuneStep, "__call__", fails_in_the_fourth)
    with pytest.raises(RuntimeError):
        tuned(checkpoint, pairs, tmp_path / "broken", **options)
    monkeypatch.undo()
    assert tuned(checkpoint, pairs, tmp_path / "broken", **options) == 0
    straight, resumed = (
        AutoModelForCausalLM.from_pretrained(tmp_path / name / "checkpoint").state_dict()
        for name in ("straight", "broken")
    )
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)


def test_mistakes_are_told_in_one_line(checkpoint, pairs, tmp_path, capsys):
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"query": "no positive"}\n')
    with pytest.raises(ValueError, match="row 1"):
        tuned(checkpoint, bad, tmp_path / "out", steps=1)
    with pytest.raises(SystemExit) as ended:
        tuned(checkpoint, pairs, tmp_path / "out", steps=1, weights=["pairs"])
    assert ended.value.code == 2
    with pytest.raises(ValueError, match="no source nowhere"):
        tuned(checkpoint, pairs, tmp_path / "out", steps=1, weights=["nowhere=2"])
