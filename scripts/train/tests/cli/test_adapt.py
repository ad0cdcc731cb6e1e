"""The command adapt as a user calls it, on documents that each keep to one topic."""

import json

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from transformers import AutoModelForCausalLM

from llara_train.cli import adapt
from llara_train.cli.calling import words_of
from llara_train.model.encoder import load_encoder
from llara_train.running.progress import read_log
from llara_train.training.from_text import AdaptStep
from tests.toys.texts import TOPICS, topic_texts

TOY = {"chunk-size": 20, "max-tokens": 48, "batch": 16, "warm-up": 5, "rate": 0.01, "micro-tokens": 2_000}


def adapted(checkpoint, text_file, out, **more):
    """Runs the command; the code it exits with."""
    options = {"model": checkpoint, "data": [text_file], "out": out, **TOY, **more}
    return adapt.main(words_of({name.replace("_", "-"): value for name, value in options.items()}))


def recall(folder) -> float:
    """Share of texts (EBAR) whose nearest text of what follows (EBAE) is of their own topic."""
    embed = load_encoder(folder).embedder(64)
    before, after = embed(topic_texts(24, 20, 0), "ebar"), embed(topic_texts(24, 20, 1), "ebae")
    nearest = (before @ after.T).argmax(axis=1)
    return float(np.mean(nearest % TOPICS == np.arange(24) % TOPICS))


@pytest.mark.parametrize(("loss", "template"), [("paper", "paper"), ("released", "released")])
def test_fifty_steps_lower_both_losses_and_raise_retrieval(checkpoint, text_file, tmp_path, loss, template):
    more = {"ebae_weight": 1, "ebar_weight": 1, "lm_weight": 0.1} if loss == "released" else {}
    assert adapted(checkpoint, text_file, tmp_path, steps=50, loss=loss, template=template, **more) == 0
    log = read_log(tmp_path / "losses.jsonl")
    assert [row["step"] for row in log] == list(range(1, 51))
    for name in ("ebae", "ebar", *(["lm"] if loss == "released" else [])):
        first, last = (np.mean([row[name] for row in part]) for part in (log[:5], log[-5:]))
        assert last < 0.8 * first, name
    assert recall(tmp_path / "checkpoint") > recall(checkpoint) + 0.3
    assert (tmp_path / "losses.png").read_bytes()[:4] == b"\x89PNG"


def test_the_result_is_a_checkpoint_that_says_how_it_was_made(checkpoint, text_file, tmp_path):
    assert adapted(checkpoint, text_file, tmp_path, steps=1, template="released") == 0
    folder = tmp_path / "checkpoint"
    facts = json.loads((folder / "training.json").read_text())
    assert facts["prompts"]["prefix"] == '"' and facts["prompts"]["bos"] is False
    assert facts["stages"][-1]["steps"] == 1
    tokens = [token["content"] for token in json.loads((folder / "tokenizer.json").read_text())["added_tokens"]]
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert [f"<s{i}>" for i in range(1, 17)] == tokens[-16:]
    assert model.config.vocab_size == len(model.model.embed_tokens.weight) == len(model.lm_head.weight)
    assert not (tmp_path / "state.pt").exists()


def weights_of(folder):
    return AutoModelForCausalLM.from_pretrained(folder).state_dict()


@pytest.mark.parametrize("more", [{}, {"lora": True, "merge": True, "lora_dropout": 0.2}], ids=["full", "lora"])
def test_a_resumed_run_ends_where_an_uninterrupted_one_ends(checkpoint, text_file, tmp_path, monkeypatch, more):
    options = {"steps": 6, "save_every": 2, **more}
    assert adapted(checkpoint, text_file, tmp_path / "straight", **options) == 0
    whole_step = AdaptStep.__call__

    def fails_in_the_fourth(self, step):
        if step == 3:
            raise RuntimeError("power cut")
        return whole_step(self, step)

    monkeypatch.setattr(AdaptStep, "__call__", fails_in_the_fourth)
    with pytest.raises(RuntimeError):
        adapted(checkpoint, text_file, tmp_path / "broken", **options)
    assert not (tmp_path / "broken/checkpoint").exists()
    monkeypatch.undo()
    assert adapted(checkpoint, text_file, tmp_path / "broken", **options) == 0
    straight, resumed = (weights_of(tmp_path / name / "checkpoint") for name in ("straight", "broken"))
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)
    logs = [read_log(tmp_path / name / "losses.jsonl") for name in ("straight", "broken")]
    assert [row["ebae"] for row in logs[0]] == [row["ebae"] for row in logs[1]]


def test_a_run_out_of_time_keeps_its_state_and_refuses_other_options(checkpoint, text_file, tmp_path):
    assert adapted(checkpoint, text_file, tmp_path, steps=3, minutes=0) == 3
    assert (tmp_path / "state.pt").exists() and not (tmp_path / "checkpoint").exists()
    with pytest.raises(ValueError, match="plan"):
        adapted(checkpoint, text_file, tmp_path, steps=4)
    assert adapted(checkpoint, text_file, tmp_path, steps=3) == 0
    written = (tmp_path / "checkpoint/model.safetensors").stat().st_mtime_ns
    assert adapted(checkpoint, text_file, tmp_path, steps=3) == 0
    assert (tmp_path / "checkpoint/model.safetensors").stat().st_mtime_ns == written


def test_micro_batches_and_checkpointing_change_nothing(checkpoint, text_file, tmp_path):
    for name, more in (("one", {}), ("many", {"micro_tokens": 100, "gradient_checkpointing": True})):
        assert adapted(checkpoint, text_file, tmp_path / name, steps=2, **{**more, "rate": 1e-3}) == 0
    one, many = (weights_of(tmp_path / name / "checkpoint") for name in ("one", "many"))
    assert max((one[name] - many[name]).abs().max().item() for name in one) < 1e-4


def test_bfloat16_computes_close_to_float32(checkpoint, text_file, tmp_path):
    for precision in ("fp32", "bf16"):
        assert adapted(checkpoint, text_file, tmp_path / precision, steps=2, precision=precision) == 0
        AcceleratorState._reset_state(reset_partial_state=True)
    exact, rough = (read_log(tmp_path / precision / "losses.jsonl")[0]["ebae"] for precision in ("fp32", "bf16"))
    assert exact != rough and abs(exact - rough) < 0.02 * exact


def test_frozen_parameters_stay_as_they_were(checkpoint, text_file, tmp_path):
    assert adapted(checkpoint, text_file, tmp_path, steps=2, freeze=["up_proj", "embed_tokens"]) == 0
    before, after = weights_of(checkpoint), weights_of(tmp_path / "checkpoint")
    for name in before:
        frozen = any(part in name for part in ("up_proj", "embed_tokens"))
        assert torch.equal(before[name], after[name]) == frozen, name
    with pytest.raises(ValueError, match="nothing_like_it"):
        adapted(checkpoint, text_file, tmp_path / "other", steps=2, freeze=["nothing_like_it"])
