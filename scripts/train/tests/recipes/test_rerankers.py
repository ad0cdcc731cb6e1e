"""The goldens of the reranker tests are what transformers and peft give for the committed weights."""

import json

import pytest

from recipes.golden.rerankers import FIXTURE_LIST, PAIRS, RERANKERS, rows_of, scores_of


@pytest.mark.parametrize("name", FIXTURE_LIST)
def test_the_fixtures_are_what_transformers_gives(name):
    golden = json.loads((RERANKERS / name / "golden.json").read_text())
    assert golden["pairs"] == [list(pair) for pair in PAIRS]
    assert golden["ids"] == rows_of(name)
    assert golden["scores"] == pytest.approx(scores_of(name, golden["ids"]), abs=1e-5)
    assert len({round(score, 3) for score in golden["scores"]}) == len(PAIRS)
