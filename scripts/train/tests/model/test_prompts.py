"""Prompts as ids, against the export's golden fixtures: training and service must agree to the id."""

import json
from pathlib import Path

import pytest

from llara_train.model.source import load_source
from llara_train.model.templates import PAPER, RELEASED, TEMPLATES, chosen_template, prompt_record
from llara_train.model.tokenizer import TextTokenizer

FIXTURES = Path(__file__).resolve().parents[4] / "test/fixtures/checkpoints"
NAMES = ["mha-paper", "mha-released", "gqa-paper", "gqa-released"]


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_those_of_the_service(name):
    golden = json.loads((FIXTURES / name / "golden.json").read_text())
    tokenizer = TextTokenizer.load(str(FIXTURES / name))
    prompts = tokenizer.prompts(TEMPLATES[golden["template"]])
    assert list(prompts.prefix) == golden["prefix_ids"]
    assert list(prompts.ebae) == golden["prompts"]["ebae"]["suffix_ids"]
    assert list(prompts.ebar) == golden["prompts"]["ebar"]["suffix_ids"]
    assert prompts.pooled == (8 if golden["template"] == "released" else 1)
    assert tokenizer.encode(golden["texts"]) == golden["body_ids"]


@pytest.mark.parametrize("name", NAMES)
def test_saved_tokenizers_give_the_same_ids(name, tmp_path):
    tokenizer = TextTokenizer.load(str(FIXTURES / name))
    tokenizer.save(tmp_path)
    again = TextTokenizer.load(str(tmp_path))
    texts = ["A text that says </s> and <s1>.", "Größe 東京 🙂"]
    assert again.encode(texts) == tokenizer.encode(texts)
    assert again.bos == tokenizer.bos
    assert json.loads((tmp_path / "tokenizer_config.json").read_text())["add_bos_token"] is (tokenizer.bos is not None)


def test_missing_specials_get_rows_of_their_own(checkpoint):
    before = load_source(str(checkpoint), "paper")
    source = load_source(str(checkpoint), "released")
    assert source.added == list(RELEASED.specials)
    rows = source.model.get_input_embeddings().weight
    assert len(rows) == before.tokenizer.size + 16 == len(source.model.get_output_embeddings().weight)
    assert rows[: before.tokenizer.size].equal(before.model.get_input_embeddings().weight)
    assert rows[-16:].unique(dim=0).shape[0] == 16
    assert source.prompts.ebar[-8:] == tuple(range(len(rows) - 8, len(rows)))
    assert (
        source.tokenizer.encode(["a text with <s1> in it"])[0] == before.tokenizer.encode(["a text with <s1> in it"])[0]
    )


def test_a_checkpoint_holds_to_its_template():
    facts = {"prompts": prompt_record(RELEASED, bos=True)}
    assert chosen_template(facts, None) is RELEASED
    assert chosen_template({}, None) is PAPER
    with pytest.raises(ValueError, match="released"):
        chosen_template(facts, "paper")
    with pytest.raises(ValueError, match="neither"):
        chosen_template({"prompts": facts["prompts"] | {"ebae_suffix": " else: "}}, None)


@pytest.mark.parametrize("prefix", [{"prefix": "query:"}, {"ebar_prefix": "query:", "ebae_prefix": "passage:"}])
def test_prompts_that_begin_differently_are_refused(prefix):
    facts = {"prompts": {"template": "repllama", "ebae_suffix": "", "ebar_suffix": "", **prefix}}
    for wanted in (None, "paper"):
        with pytest.raises(ValueError, match="neither"):
            chosen_template(facts, wanted)
