"""Fixtures of the tests that read tokenizer.model: small SentencePiece models, and the ids SentencePiece gives.

    python -m recipes.golden sentencepiece            test/fixtures/sentencepiece/*
    python -m recipes.golden.sentencepiece_ids MODEL FILE [COUNT]

The second writes COUNT ugly texts and their ids for any tokenizer.model. scripts/tokenizer/check.ts compares the
exporter's with them.
"""

import contextlib
import json
import random
import sys
from pathlib import Path
from typing import Any

import sentencepiece

from recipes.golden.folder import FIXTURES, chosen, report

SEED = 11
COUNT = 100
LLAMA = {"byte_fallback": True, "remove_extra_whitespaces": False, "allow_whitespace_only_pieces": True}
MODELS: dict[str, dict[str, Any]] = {
    "llama": LLAMA,
    "trimmed": {"byte_fallback": True, "remove_extra_whitespaces": True},
    "unknowns": {"byte_fallback": False, "remove_extra_whitespaces": False, "character_coverage": 0.99},
    "over-spaces": LLAMA | {"split_by_whitespace": False, "max_sentencepiece_length": 30},
    "no-prefix": LLAMA | {"add_dummy_prefix": False},
    "unigram": {"model_type": "unigram", "byte_fallback": True},
    "lowercased": {"normalization_rule_tsv": "rules.tsv"},
    "user-defined": LLAMA | {"user_defined_symbols": ["<sep>"]},
}
REFUSED = {"unigram", "lowercased", "user-defined"}
"""MODELS: name -> how it is trained. Those in REFUSED the exporter does not take."""

WORDS = """def return if else for in range print self None true the a of and an on it is was over banana papaya
東京 日本 潮 明日 雨 ÿ þ ð Ω ж ą ł""".split()  # fmt: skip  # noqa: SIM905
WHITE = [" ", "  ", "    ", "\t", "\n", "\n\n", "\r\n", "\u00a0", "\u3000", "\u2581", "\u2581\u2581"]
ODD = ["\0", "\x01", "\x7f", "\u200b", "\u200d", "\ufeff", "e\u0301", "\u0301", "\ufffd", "\U0010ffff", "\U0001d4b3"]
SCRIPTS = ["ß", "İ", "Ǆ", "ﬁ", "½", "👩‍👩‍👧‍👦", "🙂", "🇩🇪", "東京", "日本語。", "한국어", "ไทย", "العربية", "א"]
CODE = ["def f(x):", "return x", "    if a == b:", "```python", "# Title", "- item", "**bold**", "====", "----", "..."]
PLAIN = ["0", "1234567", "3.14", '"', "'", "_", "__init__", "a", "aa", "aaa", "ab", "aba", "the", "ABC"]
NAMES = ["<s>", "</s>", "<unk>", "<0x41>"]
ATOMS = WHITE + ODD + SCRIPTS + CODE + PLAIN + NAMES


def training_lines() -> list[str]:
    """Lines of words, code-like indents and runs, the same on every run."""
    rng = random.Random(SEED)
    lines = [" ".join(rng.choices(WORDS, k=rng.randint(3, 12))) for _ in range(400)]
    lines += [" " * rng.choice([2, 4, 8]) + " ".join(rng.choices(WORDS, k=4)) for _ in range(200)]
    return lines + ["ababab abaaba aabaab", "==== ---- == --", "    x  =  y", "naïve café **bold**"] * 40


def ugly_texts(pieces: list[str], count: int, seed: int = SEED) -> list[str]:
    """Code, markdown, runs, spaces of all kinds, marks, controls, emoji, bytes that are no text, pieces in disorder."""
    rng = random.Random(seed)

    def text(kind: int, size: int) -> str:
        if kind < 3:
            return "".join(rng.choices(ATOMS, k=size))
        if kind < 5:
            return "".join(rng.choices(pieces, k=size)).replace("\u2581", " ")
        if kind == 5:
            return "".join(rng.choice([*ATOMS, " "]) * rng.randint(1, 40) for _ in range(1 + size // 6))
        if kind == 6:
            return "".join(rng.choices(rng.sample("abcdefno =-.*\u2581", 3), k=size * 3))
        if kind == 7:
            return bytes(rng.randrange(256) for _ in range(size * 2)).decode("utf-8", "replace")
        if kind == 8:
            blocks = [(0x20, 0x7F), (0x80, 0x250), (0x3000, 0x9FFF), (0x1F300, 0x1F700)]
            return "".join(chr(rng.randrange(*rng.choice(blocks))) for _ in range(size))
        return rng.choice(pieces) * rng.randint(1, 30)

    return ["", *(text(i % 10, rng.randint(1, 24)) for i in range(count - 1))]


def ids_of(model: Path, count: int) -> list[dict[str, Any]]:
    """Texts with the ids SentencePiece gives them."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    pieces = [processor.id_to_piece(i) for i in range(processor.vocab_size())]
    return [{"text": text, "ids": processor.encode(text)} for text in ugly_texts(pieces, count)]


def write_ids(file: Path, rows: list[dict[str, Any]]) -> None:
    """JSON, one text a line."""
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    file.write_text(f"[\n{lines}\n]\n", encoding="ascii")


def make(names: list[str]) -> None:
    """Trains the models and writes their ids."""
    for name in chosen(names, MODELS):
        folder = FIXTURES / "sentencepiece" / name
        folder.mkdir(parents=True, exist_ok=True)
        options = {"model_type": "bpe", "normalization_rule_name": "identity"} | MODELS[name]
        # The model records the names of files: no path of this machine.
        with contextlib.chdir(folder):
            Path("rules.tsv").write_text("41\t61\n")  # A to a, in hexadecimal
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(training_lines()),
                model_prefix="tokenizer",
                vocab_size=420,
                hard_vocab_limit=False,
                num_threads=1,
                minloglevel=2,
                **options,
            )
            for file in ("tokenizer.vocab", "rules.tsv"):
                Path(file).unlink()
        if name not in REFUSED:
            write_ids(folder / "ids.json", ids_of(folder / "tokenizer.model", COUNT))
        report(folder)


if __name__ == "__main__":
    write_ids(Path(sys.argv[2]), ids_of(Path(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else 1_000))
