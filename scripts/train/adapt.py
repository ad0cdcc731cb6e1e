"""EBAE and EBAR adaptation on unlabelled text (paper, section 3): one joint pass, two bag-of-words losses.

The EBAE embedding must name the tokens of the text it read, the EBAR embedding those of the text that follows.
"""

import random
import re
from typing import Callable, Iterator, NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from bag_of_words import bag_of_words_loss, target_set
from joint import joint_batch, joint_states
from prompts import Prompts
from tokenizer import SPECIAL_TOKENS

BODY_TOKENS = 80
NEXT_TOKENS = 80
MICRO_BATCH_ROWS = 32
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


class Passage(NamedTuple):
    """Ids of a few sentences and of the few that follow them, both cut; targets come from the cut ids."""

    body: np.ndarray
    following: np.ndarray


def passage_of(text: str, tokenizer: Tokenizer, chance: random.Random) -> Passage | None:
    """A random place in a document: two to four sentences and as many that follow."""
    sentences = [sentence for sentence in _SENTENCE_END.split(text) if sentence.strip()]
    if len(sentences) < 4:
        return None
    first = chance.randrange(len(sentences) - 3)
    size = chance.randint(1, 4)
    parts = " ".join(sentences[first : first + size]), " ".join(sentences[first + size : first + 2 * size])
    body, following = (encoding.ids for encoding in tokenizer.encode_batch(list(parts), add_special_tokens=False))
    if len(body) < 8 or len(following) < 4:
        return None
    return Passage(np.array(body[:BODY_TOKENS], np.int64), np.array(following[:NEXT_TOKENS], np.int64))


def passages(texts: Iterator[str], tokenizer: Tokenizer, count: int, seed: int) -> list[Passage]:
    chance = random.Random(seed)
    found: list[Passage] = []
    for text in texts:
        passage = passage_of(text, tokenizer, chance)
        if passage is not None:
            found.append(passage)
            if len(found) == count:
                break
    return found


def left_out_of_targets(found: list[Passage], tokenizer: Tokenizer, frequent: int = 50) -> frozenset[int]:
    """Special tokens and the `frequent` most frequent ids (stop words and punctuation), which say little."""
    counts = np.bincount(np.concatenate([passage.body for passage in found]), minlength=tokenizer.get_vocab_size())
    special = [tokenizer.token_to_id(token) for token in SPECIAL_TOKENS]
    return frozenset(special) | frozenset(int(token) for token in np.argsort(-counts)[:frequent])


def adaptation_batches(found: list[Passage], rows: int) -> list[list[Passage]]:
    return [found[i : i + rows] for i in range(0, len(found) - rows + 1, rows)]


@torch.no_grad()
def fit_logit_scale(model: LlamaForCausalLM, batch: list[Passage], prompts: Prompts, left_out: frozenset[int]) -> float:
    """Scales the final norm's weight so that the first loss is lowest; unit-length embeddings do not change."""
    states, _ = joint_states(model, joint_batch([passage.body for passage in batch], prompts))
    targets = [target_set(passage.body, left_out) for passage in batch]
    head = model.lm_head.weight
    scales = [2.0**power for power in range(-8, 3)]
    losses = [bag_of_words_loss(states * scale, head, targets).item() for scale in scales]
    best = scales[int(np.argmin(losses))]
    model.model.norm.weight.mul_(best)
    return best


def adaptation_step(
    model: LlamaForCausalLM, prompts: Prompts, left_out: frozenset[int], note: Callable[[float, float], None]
) -> Callable[[list[Passage]], float]:
    """Backward of EBAE + EBAR over a batch, in micro-batches sorted by length."""

    def backward(batch: list[Passage]) -> float:
        ordered = sorted(batch, key=lambda passage: len(passage.body))
        losses = np.zeros(2)
        for start in range(0, len(ordered), MICRO_BATCH_ROWS):
            part = ordered[start : start + MICRO_BATCH_ROWS]
            own, following = joint_states(model, joint_batch([passage.body for passage in part], prompts))
            ebae = bag_of_words_loss(own, model.lm_head.weight, [target_set(p.body, left_out) for p in part])
            ebar = bag_of_words_loss(following, model.lm_head.weight, [target_set(p.following, left_out) for p in part])
            share = len(part) / len(batch)
            ((ebae + ebar) * share).backward()
            losses += share * np.array([ebae.item(), ebar.item()])
        note(*losses)
        return float(losses.sum())

    return backward
