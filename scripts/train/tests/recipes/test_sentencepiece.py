"""The exporter reads tokenizer.model: its ids against SentencePiece's own. Needs `npm install` in the root."""

import json
import subprocess
from pathlib import Path

import pytest
import sentencepiece

from recipes.golden.sentencepiece_ids import ids_of, write_ids

ROOT = Path(__file__).resolve().parents[4]
FIXTURES = sorted((ROOT / "test/fixtures/sentencepiece").glob("*/ids.json"))


@pytest.mark.parametrize("file", FIXTURES, ids=lambda file: file.parent.name)
def test_the_fixtures_are_what_sentencepiece_gives(file):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(file.parent / "tokenizer.model"))
    rows = json.loads(file.read_text())
    assert len(rows) >= 100
    assert [row["ids"] for row in rows] == processor.encode([row["text"] for row in rows])


@pytest.mark.parametrize("file", FIXTURES, ids=lambda file: file.parent.name)
def test_no_id_differs_over_600_ugly_texts(file, tmp_path):
    model = file.parent / "tokenizer.model"
    write_ids(tmp_path / "ids.json", ids_of(model, 600))
    command = ["node", ROOT / "node_modules/tsx/dist/cli.mjs", ROOT / "scripts/tokenizer/check.ts"]
    checked = subprocess.run([*command, model, tmp_path / "ids.json"], capture_output=True, text=True, check=False)
    assert checked.stdout.endswith("0 of 600 texts differ\n"), checked.stdout + checked.stderr
