"""The training pairs of the bundled model: the shared ones, and pairs of a sentence and its passage cut from text."""

import random
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from llara_train.data.corpus import Pair, read_documents, read_pairs

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


def all_pairs(data: Path, seed: int, most: int | None = None) -> Iterator[Pair]:
    """Shared pairs, then sentence pairs. `most`: rows read of each; None: all."""
    chance = random.Random(seed)
    for pair in islice(read_pairs(data), most):
        yield mask_title(pair, chance)
    for source, text in islice(read_documents(data), most):
        cut = sentence_pair(source, text, chance)
        if cut is not None and len(cut.positive) > 80:
            yield cut
