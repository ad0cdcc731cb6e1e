"""The executable as a user calls it: help, mistakes, exit codes."""

import json

import pytest

from llara_train.cli.calling import words_of
from llara_train.cli.commands import COMMANDS, main


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_every_command_has_help(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    assert " ".join(["usage: llara-train", *words[:-1]]) in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["nothing"], ["--nothing"], ["adapt"], ["plot", "--nothing"]])
def test_wrong_words_end_with_usage_and_code_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_mistake_is_one_line_and_code_2(checkpoint, tmp_path, capsys):
    (tmp_path / "bad.jsonl").write_text('{"query": "no positive"}\n')
    options = {"model": checkpoint, "pairs": tmp_path / "bad.jsonl", "out": tmp_path / "out"}
    assert main(["mine", *words_of(options)]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("llara-train mine: ") and "row 1" in error


def test_plot_draws_a_log(tmp_path):
    rows = [{"step": step, "ebae": 5 / step, "rate": 0.1, "tokens": 9, "seconds": 1} for step in range(1, 9)]
    (tmp_path / "losses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["plot", str(tmp_path / "losses.jsonl")]) == 0
    assert (tmp_path / "losses.png").read_bytes()[:4] == b"\x89PNG"


def test_joint_cost_prints_a_row_for_each_length(checkpoint, capsys):
    assert main(["joint-cost", "--model", str(checkpoint), "--tokens", "20", "9999"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert len(rows) == 1 and rows[0].startswith("| 20 | 0.")
