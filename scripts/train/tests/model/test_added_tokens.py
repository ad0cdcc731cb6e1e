"""Added tokens keep the ids of tokenizer.json, and the special ones cannot be written in a text."""

import json
import shutil
from pathlib import Path

import pytest
from tokenizers import AddedToken, Tokenizer

from llara_train.model.templates import RELEASED
from llara_train.model.tokenizer import TextTokenizer

FIXTURE = Path(__file__).resolve().parents[4] / "test/fixtures/checkpoints/gqa-released"
SPECIALS = list(RELEASED.specials)
TEXTS = ["a biomarker HbA1c <s9> </s>.", "biomarker", "the biomarkers, (HbA1c)", "  HbA1c\n<s1>"]


def added(tokenizer: dict, *tokens: tuple[int, str], special: bool = False) -> dict:
    """The file with more added tokens at the front of their list."""
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": special}
    new = [{"id": number, "content": content} | flags for number, content in tokens]
    return tokenizer | {"added_tokens": new + tokenizer["added_tokens"]}


def loaded(tmp_path: Path, file: dict) -> TextTokenizer:
    folder = tmp_path / "checkpoint"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "tokenizer.json").write_text(json.dumps(file))
    shutil.copy(FIXTURE / "tokenizer_config.json", folder)
    return TextTokenizer.load(str(folder))


@pytest.fixture
def file():
    return json.loads((FIXTURE / "tokenizer.json").read_text())


@pytest.fixture
def end(file):
    return max([*file["model"]["vocab"].values(), *(token["id"] for token in file["added_tokens"])]) + 1


def test_the_library_agrees_on_a_file_it_wrote(tmp_path, file, end):
    whole = Tokenizer.from_str(json.dumps(file))
    whole.add_tokens([AddedToken("biomarker", normalized=False), AddedToken("HbA1c", normalized=False)])
    text = loaded(tmp_path, json.loads(whole.to_str()))
    right = Tokenizer.from_str(whole.to_str())
    for sample in TEXTS:
        plain = sample.replace("<s9>", "x").replace("<s1>", "x").replace("</s>", "x")
        assert text.encode([plain])[0] == right.encode(plain, add_special_tokens=False).ids
        found = text.encode([sample])[0]
        assert [i for i in found if i >= end] == [
            end + ["biomarker", "HbA1c"].index(word)
            for word in sorted(["biomarker", "HbA1c"], key=sample.find)
            if word in sample
        ]
        assert not set(found) & {whole.token_to_id(token) for token in [*SPECIALS, "</s>", "<s>"]}


def test_ids_in_any_order_and_with_gaps(tmp_path, file, end):
    text = loaded(tmp_path, added(file, (end + 7, "XX"), (end, "YY"), (end + 3, "ZZ")))
    assert text.encode(["XXYYZZ"]) == [[end + 7, end, end + 3]]
    assert text.size == end + 8
    text.save(tmp_path / "again")
    assert TextTokenizer.load(str(tmp_path / "again")).encode(["XXYYZZ"]) == [[end + 7, end, end + 3]]


def test_a_gap_in_the_vocabulary_is_filled_by_a_special_token(tmp_path, file, end):
    merged = {
        part for merge in file["model"]["merges"] for part in (merge if isinstance(merge, list) else merge.split())
    }
    piece, gap = next((t, i) for t, i in file["model"]["vocab"].items() if len(t) == 1 and t not in merged)
    del file["model"]["vocab"][piece]
    text = loaded(tmp_path, added(added(file, (gap, "<mask>"), special=True), (end, "XX")))
    assert text.whole.token_to_id("<mask>") == gap
    assert text.encode(["XX"]) == [[end]]
    assert gap not in text.encode(["a <mask> b"])[0]
    with pytest.raises(ValueError, match="behind the vocabulary"):
        loaded(tmp_path, added(file, (gap, "WW")))


def test_twice_alike_or_a_vocabulary_piece_is_no_harm(tmp_path, file, end):
    piece, number = max(file["model"]["vocab"].items(), key=lambda item: len(item[0]))
    text = loaded(tmp_path, added(file, (end, "XX"), (end, "XX"), (number, piece)))
    assert text.encode(["XX"]) == [[end]]
    assert text.whole.token_to_id(piece) == number


def test_contradictions_are_refused(tmp_path, file, end):
    with pytest.raises(ValueError, match="XX two ids"):
        loaded(tmp_path, added(file, (end, "XX"), (end + 1, "XX")))
    with pytest.raises(ValueError, match="the same id"):
        loaded(tmp_path, added(file, (end, "XX"), (end, "YY")))


def test_new_specials_follow_and_are_kept_from_text(tmp_path, file, end):
    file["added_tokens"] = [token for token in file["added_tokens"] if token["content"] not in SPECIALS]
    vocabulary = file["model"]["vocab"]
    for token in SPECIALS:
        vocabulary.pop(token, None)
    end = max([*vocabulary.values(), *(token["id"] for token in file["added_tokens"])]) + 1
    text = loaded(tmp_path, added(file, (end, "XX"), (end + 1, "<s3>")))
    assert end + 1 in text.encode(["a <s3>"])[0]
    missing = text.add_missing(RELEASED)
    assert missing == [token for token in SPECIALS if token != "<s3>"]
    assert text.encode(["XX"]) == [[end]]
    assert max(text.encode(["a <s3> <s16> b"])[0]) < end
    assert text.prompts(RELEASED).ebae[-8:][2] == end + 1


def test_sentencepiece_alone_is_refused_with_what_to_do(tmp_path):
    models = FIXTURE.parents[1] / "sentencepiece"
    shutil.copytree(models / "llama", tmp_path / "checkpoint")
    with pytest.raises(ValueError, match=r"write-json\.ts"):
        TextTokenizer.load(str(tmp_path / "checkpoint"))
