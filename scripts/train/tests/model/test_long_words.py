import json
from pathlib import Path

from tokenizers import Tokenizer

from llara_train.model.tokenizer import TextTokenizer

BUNDLED = Path(__file__).parents[4] / "models" / "llara-mini" / "tokenizer.json"


def test_a_word_longer_than_wordpiece_reads_is_read_in_words_of_that_length():
    text = TextTokenizer(Tokenizer.from_file(str(BUNDLED)), {})
    unknown = json.loads(BUNDLED.read_text(encoding="utf-8"))["model"]["vocab"]["[UNK]"]
    digest = "".join(format(i * 7 % 16, "x") for i in range(250))
    whole, *parts = text.encode([digest, digest[:100], digest[100:200], digest[200:]])
    assert whole == [token for part in parts for token in part]
    assert unknown not in whole
    # Counted after normalising: 200 characters are 100 letters, and one word.
    assert text.encode(["e\u0301" * 100]) == text.encode(["e" * 100])


def test_a_long_word_is_cut_around_what_the_vocabulary_lacks_as_in_the_service():
    text = TextTokenizer(Tokenizer.from_file(str(BUNDLED)), {})
    unknown = json.loads(BUNDLED.read_text(encoding="utf-8"))["model"]["vocab"]["[UNK]"]
    start, end = "digest" * 10, "walking" * 10
    whole, first, last = text.encode([f"{start}\U0001f99c\U0001f99a{end}", start, end])
    assert whole == [*first, unknown, *last]
    assert first[:4] == [17886, 4305, 8449, 2102]
    # A word of just the length is read as BERT reads it.
    assert text.encode(["a" * 99 + "\U0001f99c", "\U0001f99c" * 101]) == [[unknown], [unknown, unknown]]
