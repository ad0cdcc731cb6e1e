"""Two processes (gloo, no GPU) end where one ends: same batches, negatives of both, gradients of both."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from llara_train.cli import adapt, finetune
from llara_train.cli.calling import words_of
from llara_train.running.progress import read_log
from tests.toys.texts import pair_file

PROJECT = Path(__file__).resolve().parents[2]


def run_two(name: str, options: dict) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    told = {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    done = subprocess.run(
        [*command, "-m", "llara_train", name, *words_of(options)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        env={**os.environ, **told},
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert "2 processes, MULTI_CPU" in done.stderr


@pytest.mark.parametrize("name", ["adapt", "finetune"])
def test_two_processes_equal_one(checkpoint, text_file, tmp_path, name):
    rate = {"rate": 0.001, "warm-up": 1, "steps": 3, "micro-tokens": 150}
    if name == "adapt":
        options = {"data": text_file, "chunk-size": 20, "max-tokens": 24, "batch": 5, **rate}
    else:
        options = {
            "pairs": pair_file(tmp_path / "pairs.jsonl", 24),
            "batch": 5,
            "negatives": 2,
            "temperature": 0.1,
            **rate,
        }
    alone = adapt.main if name == "adapt" else finetune.main
    assert alone(words_of({"model": checkpoint, "out": tmp_path / "1", **options})) == 0
    run_two(name, {"model": checkpoint, "out": tmp_path / "2", **options})
    one, two = (AutoModelForCausalLM.from_pretrained(tmp_path / n / "checkpoint").state_dict() for n in "12")
    start = AutoModelForCausalLM.from_pretrained(checkpoint).state_dict()
    moved = max((one[key] - start[key]).abs().max().item() for key in one)
    apart = max((one[key] - two[key]).abs().max().item() for key in one)
    assert moved > 1e-3 and apart < 0.05 * moved
    logs = [read_log(tmp_path / n / "losses.jsonl") for n in "12"]
    for first, second in zip(*logs, strict=True):
        for loss in set(first) - {"seconds"}:
            assert second[loss] == pytest.approx(first[loss], rel=1e-3), loss
    assert torch.isfinite(two["model.norm.weight"]).all()
