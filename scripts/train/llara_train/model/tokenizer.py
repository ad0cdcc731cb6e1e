"""A checkpoint's tokenizer for plain text: user text never becomes a special token, and BOS is added by rule.

Tokenizer libraries disagree on adding a BOS, so it is read from the checkpoint's files: `add_bos_token` where stated,
else the post-processor, else what the tokenizer's class does. The TypeScript exporter has the same rule.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import AddedToken, Tokenizer
from transformers import AutoTokenizer
from transformers.utils import cached_file

from llara_train.model.added_ids import make_room, renumbered, with_file_ids
from llara_train.model.prompts import Prompts, prompts_of
from llara_train.model.templates import Template

BOS_BY_DEFAULT = {"LlamaTokenizer", "LlamaTokenizerFast", "CodeLlamaTokenizer", "CodeLlamaTokenizerFast"}


def _content(token: object) -> str | None:
    return token.get("content") if isinstance(token, dict) else token if isinstance(token, str) else None


def _starts_with(processor: dict | None, token: str) -> bool:
    if not processor:
        return False
    if processor.get("processors"):
        return any(_starts_with(inner, token) for inner in processor["processors"])
    first = (processor.get("single") or [{}])[0]
    return first.get("SpecialToken", {}).get("id") == token


def without_specials(tokenizer: Tokenizer, reserved: Collection[str] = ()) -> Tokenizer:
    """The same tokenizer for text alone, without special tokens: their matcher, their entries and their merges.

    `reserved`: special tokens that the file does not mark so. The ids of added tokens may differ: see `renumbered`.
    """
    file = json.loads(tokenizer.to_str())
    model = file["model"]
    added = file.get("added_tokens") or []
    specials = {token["content"] for token in added if token["special"]} | set(reserved)
    file["added_tokens"] = [token for token in added if token["content"] not in specials]
    if not isinstance(model["vocab"], dict):  # Unigram: a list of pieces whose order is their ids
        return Tokenizer.from_str(json.dumps(file))
    removed = specials - {model.get("unk_token")}
    model["vocab"] = {token: i for token, i in model["vocab"].items() if token not in removed}
    if "merges" in model:
        pairs = (merge if isinstance(merge, list) else merge.split(" ") for merge in model["merges"])
        model["merges"] = [pair for pair in pairs if not removed & {pair[0], pair[1], pair[0] + pair[1]}]
    if any(token["content"] not in model["vocab"] for token in file["added_tokens"]):
        make_room(model)
    file["truncation"] = file["padding"] = file["post_processor"] = None
    return Tokenizer.from_str(json.dumps(file))


def _word_pattern(model: dict) -> str:
    """A word that is short enough, or the next part of one that is not."""
    vocab, prefix = model["vocab"], model.get("continuing_subword_prefix", "##")
    longest = model.get("max_input_chars_per_word", 100)
    known = [entry for entry in vocab if len(entry) == 1]
    anywhere = [character for character in known if prefix + character in vocab]
    at_start = [character for character in known if prefix + character not in vocab]
    parts = [f"\\A[\\s\\S]{{1,{longest}}}\\z"]
    if anywhere:
        parts.append(f"[{_escaped(anywhere)}]{{1,{longest}}}")
    if at_start:
        parts.append(f"[{_escaped(at_start)}]")
    parts.append(f"[^{_escaped(known)}]{{1,{longest}}}" if known else f"[\\s\\S]{{1,{longest}}}")
    return "|".join(parts)


def _escaped(characters: list[str]) -> str:
    return "".join(f"\\x{{{ord(character):x}}}" for character in characters)


def cut_long_words(tokenizer: Tokenizer) -> Tokenizer:
    """The same tokenizer with words over WordPiece's limit cut: at that length, and around unknown characters.

    WordPiece by itself makes one unknown token of each. The service does the same, so both give the same ids.
    """
    file = json.loads(tokenizer.to_str())
    if file["model"]["type"] != "WordPiece":
        return tokenizer
    pattern = {"Regex": _word_pattern(file["model"])}
    split = {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}
    steps = [step for step in (file["pre_tokenizer"], split) if step]
    file["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": steps}
    return Tokenizer.from_str(json.dumps(file))


class TextTokenizer:
    """`whole` knows the special tokens, `plain` reads text. `config` is tokenizer_config.json."""

    def __init__(self, whole: Tokenizer, config: dict) -> None:
        self.whole, self.config = whole, config
        self._read_text(())

    def _read_text(self, reserved: Collection[str]) -> None:
        self.plain = cut_long_words(without_specials(self.whole, reserved))
        self.renumbered = renumbered(self.whole, self.plain)

    @classmethod
    def load(cls, source: str) -> "TextTokenizer":
        """Loads from a folder or a Hugging Face id; transformers converts a tokenizer without tokenizer.json.

        Raises ValueError for SentencePiece's tokenizer.model alone, which transformers converts to other ids, and for
        a tokenizer.json that contradicts itself.
        """
        names = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")
        options = {"_raise_exceptions_for_missing_entries": False}
        file, settings, pieces = (cached_file(source, name, **options) for name in names)
        config = json.loads(Path(settings).read_text(encoding="utf-8")) if settings else {}
        if file:
            return cls(with_file_ids(json.loads(Path(file).read_text(encoding="utf-8"))), config)
        if pieces:
            raise ValueError(
                f"{source} has a tokenizer.model and no tokenizer.json. Make one that gives the same ids: in the "
                "repository's root, npx tsx scripts/tokenizer/write-json.ts FOLDER"
            )
        return cls(AutoTokenizer.from_pretrained(source).backend_tokenizer, config)

    @property
    def size(self) -> int:
        """One more than the largest id."""
        return max(self.whole.get_vocab(with_added_tokens=True).values()) + 1

    @property
    def bos(self) -> int | None:
        """Id that opens every text; None if the model needs none."""
        token = _content(self.config.get("bos_token"))
        found = self.whole.token_to_id(token) if token else None
        if token is None or found is None:
            return None
        stated = self.config.get("add_bos_token")
        processor = json.loads(self.whole.to_str()).get("post_processor")
        by_class = not processor and self.config.get("tokenizer_class") in BOS_BY_DEFAULT
        return found if (stated if isinstance(stated, bool) else _starts_with(processor, token) or by_class) else None

    def special_ids(self) -> frozenset[int]:
        """Ids of all special tokens."""
        added = self.whole.get_added_tokens_decoder()
        return frozenset(i for i, token in added.items() if token.special)

    def add_missing(self, template: Template) -> list[str]:
        """Adds the special tokens that the template ends with and the tokenizer lacks; returns the new ones."""
        missing = [token for token in template.specials if self.whole.token_to_id(token) is None]
        if missing:
            bos = self.bos is not None
            self.whole.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in missing])
            self.config["add_bos_token"] = bos
        self._read_text(template.specials)
        return missing

    def prompts(self, template: Template) -> Prompts:
        """The template's prompts as ids of this tokenizer. Raises ValueError for a missing special token."""
        return prompts_of(_Split(self), template, self.bos)

    def encode(self, texts: Sequence[str], max_tokens: int | None = None) -> list[list[int]]:
        """Ids of the texts alone, each cut at `max_tokens`."""
        encodings = self.plain.encode_batch_fast(list(texts), add_special_tokens=False)
        return [self.file_ids(encoding.ids[:max_tokens]) for encoding in encodings]

    def file_ids(self, ids: list[int]) -> list[int]:
        """Ids of `plain` as those of `whole`."""
        return [self.renumbered.get(i, i) for i in ids] if self.renumbered else ids

    def save(self, folder: Path) -> None:
        """Writes tokenizer.json and tokenizer_config.json, which always says whether a BOS opens a text."""
        folder.mkdir(parents=True, exist_ok=True)
        self.whole.save(str(folder / "tokenizer.json"))
        config = {**self.config, "add_bos_token": self.bos is not None}
        config.setdefault("tokenizer_class", "PreTrainedTokenizerFast")
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class _Ids:
    ids: list[int]


class _Split:
    """Words by the plain tokenizer, special tokens by the whole one."""

    def __init__(self, tokenizer: TextTokenizer) -> None:
        self.tokenizer = tokenizer

    def encode(self, sequence: str, *, add_special_tokens: bool) -> _Ids:
        encoding = self.tokenizer.plain.encode(sequence, add_special_tokens=add_special_tokens)
        return _Ids(self.tokenizer.file_ids(encoding.ids))

    def token_to_id(self, token: str) -> int | None:
        return self.tokenizer.whole.token_to_id(token)
