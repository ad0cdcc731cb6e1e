"""Training pairs as token ids: the shared pairs, and sentence -> surrounding passage pairs cut from the shared text."""

import random
import re
from pathlib import Path
from typing import Iterator

import numpy as np
from tokenizers import Tokenizer

from corpus import Pair, read_documents, read_pairs
from token_store import TokenStore, tokenise

TITLE_MASKED_SHARE = 0.5
TITLE_MASKED_SOURCES = {"enwiki", "simplewiki"}
PASSAGE_CHARACTERS = 900
SENTENCE_WORDS = (6, 40)
SENTENCE_LEFT_IN_SHARE = 0.1
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


def mask_title(pair: Pair, chance: random.Random) -> Pair:
    """Cuts the title out of a share of encyclopaedia leads, so that it cannot be the only thing that matches."""
    if pair.source not in TITLE_MASKED_SOURCES or chance.random() >= TITLE_MASKED_SHARE:
        return pair
    masked = re.sub(re.escape(pair.query), "", pair.positive, flags=re.IGNORECASE).strip()
    return pair._replace(positive=masked) if len(masked) > 40 else pair


def sentence_pair(source: str, text: str, chance: random.Random) -> Pair | None:
    """One sentence and the passage it stands in, without it in nine of ten (inverse cloze)."""
    sentences = [sentence for sentence in _SENTENCE_END.split(text) if sentence.strip()]
    usable = [i for i, s in enumerate(sentences) if SENTENCE_WORDS[0] <= len(s.split()) <= SENTENCE_WORDS[1]]
    if len(sentences) < 4 or not usable:
        return None
    at = chance.choice(usable)
    first, passage = at, []
    while first > 0 and sum(map(len, sentences[first:at])) < PASSAGE_CHARACTERS // 2:
        first -= 1
    for i in range(first, len(sentences)):
        if i != at or chance.random() < SENTENCE_LEFT_IN_SHARE:
            passage.append(sentences[i])
        if sum(map(len, passage)) >= PASSAGE_CHARACTERS:
            break
    return Pair(sentences[at], " ".join(passage)[:PASSAGE_CHARACTERS], f"sentence_{source}")


def all_pairs(data: Path, seed: int, sentences: bool) -> Iterator[Pair]:
    chance = random.Random(seed)
    for pair in read_pairs(data):
        yield mask_title(pair, chance)
    if sentences:
        for source, text in read_documents(data):
            pair = sentence_pair(source, text, chance)
            if pair is not None and len(pair.positive) > 80:
                yield pair


class PairStore:
    """Queries and positives as ids, and the source number of each pair; the three run in parallel."""

    def __init__(self, queries: TokenStore, positives: TokenStore, sources: np.ndarray, names: list[str]):
        self.queries, self.positives, self.sources, self.names = queries, positives, sources, names

    def __len__(self) -> int:
        return len(self.sources)

    def save(self, folder: Path) -> None:
        self.queries.save(folder / "queries.npz")
        self.positives.save(folder / "positives.npz")
        np.savez(folder / "sources.npz", sources=self.sources, names=np.array(self.names))

    @classmethod
    def load(cls, folder: Path) -> "PairStore":
        with np.load(folder / "sources.npz") as arrays:
            sources, names = arrays["sources"], arrays["names"].tolist()
        return cls(TokenStore.load(folder / "queries.npz"), TokenStore.load(folder / "positives.npz"), sources, names)


def build_pair_store(data: Path, tokenizer: Tokenizer, seed: int, sentences: bool = True) -> PairStore:
    queries, positives, sources, names = [], [], [], {}
    for pair in all_pairs(data, seed, sentences):
        queries.append(pair.query)
        positives.append(pair.positive)
        sources.append(names.setdefault(pair.source, len(names)))
    return PairStore(
        tokenise(tokenizer, queries), tokenise(tokenizer, positives), np.array(sources, np.int16), list(names)
    )


def single_source_batches(sources: np.ndarray, size: int, chance: np.random.Generator) -> list[np.ndarray]:
    """Indices in shuffled batches of one source each; a source's last, smaller batch is kept from 32 pairs on."""
    batches = []
    for source in np.unique(sources):
        members = chance.permutation(np.flatnonzero(sources == source))
        batches += [members[i : i + size] for i in range(0, len(members), size)]
    batches = [batch for batch in batches if len(batch) >= min(32, size)]
    return [batches[i] for i in chance.permutation(len(batches))]
