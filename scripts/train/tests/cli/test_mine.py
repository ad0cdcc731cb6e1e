import json

from llara_train.cli import mine as command
from llara_train.cli.calling import words_of
from llara_train.data.layouts import pair_row
from tests.toys.texts import pair_file


def test_the_command_writes_pairs_with_scored_negatives(checkpoint, tmp_path):
    pairs = pair_file(tmp_path / "pairs.jsonl", 24)
    out = tmp_path / "mined.jsonl"
    options = {"model": checkpoint, "pairs": pairs, "out": out, "count": 3, "share": 1.0, "margin": 0.01}
    assert command.main(words_of(options)) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["query"] for row in rows] == [json.loads(line)["query"] for line in pairs.read_text().splitlines()]
    assert any(row["negatives"] for row in rows)
    for row in rows:
        assert row["positive"] not in row["negatives"] and len(row["negatives"]) == len(row["scores"]) <= 3
        assert row["scores"] == sorted(row["scores"], reverse=True)
        assert all(score <= row["positive_score"] - 0.01 + 1e-4 for score in row["scores"])
        assert pair_row(row, "x").negatives == tuple(row["negatives"])
