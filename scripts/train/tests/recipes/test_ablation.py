import json

import numpy as np
import pytest

from llara_train.cli.calling import words_of
from llara_train.model.encoder import load_encoder
from llara_train.model.source import load_source
from recipes.ablation import __main__ as ablation
from recipes.ablation import start as ablation_start
from recipes.ablation.tables import BEGIN, END, spread, write_tables
from tests.toys.data import toy_bert, toy_data
from tests.toys.texts import TEXTS, TOPICS, pair_file, topic_texts


@pytest.fixture
def judged_set(tmp_path):
    folder = tmp_path / "topics"
    folder.mkdir()
    documents, queries = topic_texts(24, 8, 1), topic_texts(TOPICS, 6, 0)
    rows = [{"_id": f"d{i}", "title": "", "text": text} for i, text in enumerate(documents)]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = [{"_id": f"q{i}", "text": text} for i, text in enumerate(queries)]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    lines = [f"q{i % TOPICS}\td{i}\t1" for i in range(24)]
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + "\n".join(lines) + "\n")
    return folder


DRIFT = {
    "set": "topics",
    "model": {"precision": "int8"},
    "drift": {
        "reference": {"precision": "fp32"},
        "documents": {"meanCosine": 0.9987, "worstCosine": 0.99},
        "queries": {"meanCosine": 0.998, "worstCosine": 0.97},
        "ndcg@10": {"model": 0.5, "reference": 0.51, "change": -0.01},
    },
}


def sentences(file):
    rows = [{"text": ". ".join(topic_texts(12, 6, i % 2)[i % 12] for _ in range(4)) + "."} for i in range(12)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_a_toy_ablation_fills_its_tables_and_goes_on_where_it_was(checkpoint, judged_set, tmp_path, monkeypatch):
    (tmp_path / "drift.json").write_text(json.dumps(DRIFT) + "\n")
    table = tmp_path / "docs.md"
    table.write_text(f"# Ours\n\nKept before.\n\n{BEGIN}\n{END}\n\nKept after.\n")
    given = {
        "model": checkpoint,
        "text": [sentences(tmp_path / "text.jsonl")],
        "sets": [judged_set],
        "pairs": [pair_file(tmp_path / "pairs.jsonl", 24)],
        "seeds": [1, 2],
        "adapt-steps": 2,
        "adapt-batch": 4,
        "finetune-steps": 2,
        "finetune-batch": 6,
        "drift": tmp_path / "drift.json",
        "out": tmp_path / "work",
        "table": table,
    }
    assert ablation.main(words_of(given)) == 0
    rows = [json.loads(line) for line in (tmp_path / "work/results.jsonl").read_text().splitlines()]
    cells = [row for row in rows if row["kind"] == "training"]
    assert len(cells) == 8 and {row["tokens"] for row in rows if row["kind"] == "cost"} == {44, 139}
    text = table.read_text()
    assert text.startswith("# Ours\n\nKept before.") and text.endswith("Kept after.\n")
    both = [cell["tuned"]["right"]["topics"] for cell in cells if cell["condition"] == "both"]
    line = next(line for line in text.splitlines() if line.startswith("| both | 2 |"))
    assert spread(both) in line and "±" in line
    assert [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| swapped")] == ["| swapped"]
    assert "| int8 against fp32 | topics | 0.99870 | 0.99800 | 0.97000 | 0.5100 | 0.5000 | -0.0100 |" in text

    monkeypatch.setattr(ablation.Ablation, "cell", lambda *_: pytest.fail("a finished cell was made again"))
    assert ablation.main(words_of(given)) == 0 and table.read_text() == text
    monkeypatch.undo()
    (tmp_path / "work/results.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:-1]))
    assert ablation.main(words_of(given)) == 0
    again = [json.loads(line) for line in (tmp_path / "work/results.jsonl").read_text().splitlines()]
    last = {key: value for key, value in rows[-1].items() if key != "seconds"}
    assert {key: value for key, value in again[-1].items() if key != "seconds"} == last


def test_a_file_without_marks_is_left_alone(tmp_path):
    file = tmp_path / "other.md"
    file.write_text("something else")
    with pytest.raises(ValueError, match="ablation:begin"):
        write_tables(file, [], [], {}, [])
    assert file.read_text() == "something else"


def test_the_start_is_the_first_layers_of_an_encoder_with_a_head_that_reads_it(tmp_path):
    data, teacher = toy_data(tmp_path / "data"), toy_bert(tmp_path / "teacher")
    given = {
        "teacher": teacher,
        "layers": 1,
        "pairs": data / "pairs-00.jsonl.xz",
        "rows": 200,
        "data": data,
        "out": tmp_path / "start",
        "head-steps": 40,
        "drop-frequent": 0,
    }
    assert ablation_start.main(words_of(given)) == 0
    source = load_source(str(tmp_path / "start"), None)
    assert len(source.model.model.layers) == 2
    head, table = source.model.lm_head.weight, source.model.model.embed_tokens.weight
    assert head.shape == table.shape and not np.allclose(head.detach(), table.detach())
    assert source.facts["stages"][-1]["name"] == "LM head"
    assert load_encoder(tmp_path / "start").embedder(64)(TEXTS, "ebar").shape == (3, 32)
