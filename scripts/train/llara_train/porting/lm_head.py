"""An LM head for a model that never had one, so that it can be adapted: each vector must name the tokens of its text.

The token embeddings of a ported BERT say nothing about its last states: adapting through them as a tied head would pull
the model apart. The fitted head reads what is already there; the adaptation then trains it with everything else.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from llara_train.model.encoder import last_states
from llara_train.model.padding import padded, with_prompt
from llara_train.model.source import Source
from llara_train.objectives.bag_of_words import bag_of_words_nll, target_set
from llara_train.porting import record
from llara_train.porting.lean_llama import lean_llama
from llara_train.porting.ported_checkpoint import save_lean
from llara_train.teaching.lessons import LessonText

MEASURED_TEXTS = 64


def fit_head(
    vectors: Tensor,
    bags: list[np.ndarray],
    size: int,
    steps: int = 250,
    batch: int = 128,
    rate: float = 0.1,
    seed: int = 0,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> Tensor:
    """[size, hidden], float32: minimises the mean negative log-likelihood of each bag (paper, equation 6).

    Args:
        vectors: unit rows [texts, hidden].
        bags: target ids of each text.
        size: of the vocabulary.
        report: called with the step and its loss.
    """
    head = torch.zeros(size, vectors.shape[1], requires_grad=True)
    optimiser = torch.optim.Adam([head], lr=rate)
    chance = np.random.default_rng(seed)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * (1 - step / steps)
        chosen = chance.integers(0, len(bags), batch)
        loss = bag_of_words_nll(F.linear(vectors[torch.from_numpy(chosen)], head), [bags[i] for i in chosen]).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        report(step + 1, loss.item())
    return head.detach()


@dataclass(frozen=True)
class HeadFit:
    """How a head is fitted. `tokens`: of a text, that count as its targets; `drop_frequent`: that many of the most
    frequent token ids are no targets."""

    steps: int
    tokens: int
    drop_frequent: int
    seed: int


def fitted_head(source: Source, texts: list[LessonText], vectors: np.ndarray, fit: HeadFit) -> Tensor:
    """A head [vocabulary, hidden] for unit vectors. `vectors`: the teacher's, [texts, hidden].

    Raises ValueError when every token of every text was dropped.
    """
    bodies = [np.array(ids) for ids in source.tokenizer.encode([text.text for text in texts], fit.tokens)]
    counts = np.bincount(np.concatenate(bodies))
    frequent = np.argsort(-counts, kind="stable")[: fit.drop_frequent]
    left_out = source.tokenizer.special_ids() | frozenset(int(i) for i in frequent)
    bags = [target_set(body, left_out, unique=False) for body in bodies]
    kept = [i for i, bag in enumerate(bags) if len(bag)]
    if not kept:
        raise ValueError("every token of every passage was dropped: use a smaller --drop-frequent")
    wanted = F.normalize(torch.from_numpy(vectors[kept].astype(np.float32)), dim=-1)

    def report(step: int, loss: float) -> None:
        if step % 50 == 0 or step == fit.steps:
            print(f"LM head, step {step}/{fit.steps}  loss {loss:.3f}", file=sys.stderr, flush=True)

    size = source.model.config.vocab_size
    return fit_head(wanted, [bags[i] for i in kept], size, fit.steps, seed=fit.seed, report=report)


@torch.no_grad()
def mean_length(source: Source, texts: list[str], tokens: int) -> float:
    """Mean length of the states at `</s>`, read with the EBAE prompt, before they are normalised."""
    prompts = source.prompts
    around = len(prompts.prefix) + len(prompts.ebae)
    bodies = source.tokenizer.encode(texts, tokens)
    rows = [with_prompt(np.array(body, np.int64), prompts.ebae, tokens + around, prompts.prefix) for body in bodies]
    return last_states(source.model.eval(), *padded(rows), prompts.pooled).norm(dim=-1).mean().item()


def save_with_fitted_head(
    out: Path, source: Source, texts: list[LessonText], vectors: np.ndarray, fit: HeadFit
) -> None:
    """Writes the checkpoint of a ported model with an LM head fitted on the texts and their vectors [texts, hidden].

    The head is scaled to the length that the model's states have before they are normalised.
    """
    head = fitted_head(source, texts, vectors, fit)
    head /= mean_length(source, [text.text for text in texts[:MEASURED_TEXTS]], fit.tokens)
    facts = record.with_stage(source.facts, "LM head", passages=len(texts), steps=fit.steps)
    save_lean(out, lean_llama(source.model), source, facts, head)
