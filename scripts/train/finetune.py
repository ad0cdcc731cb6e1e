"""Contrastive fine-tuning: EBAR queries against EBAE documents, mined neighbours in the batch, a teacher if there is one.

Fine-tuning of the paper (section 4: InfoNCE with hard negatives), without LoRA: the model is small enough to train
whole. The teacher gives two further signals: which of the batch's other passages also answer a query, and where in
its own space a text lies.
"""

from dataclasses import dataclass
from typing import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import LlamaForCausalLM

from alignment import TeacherVectors
from encoder import with_prompt
from gradient_cache import batched_backward
from prompts import Prompts
from token_store import TokenStore


@dataclass(frozen=True)
class Objective:
    """Weights of the three parts and their temperatures."""

    contrast: float = 1.0
    ranking: float = 1.0
    position: float = 1.0
    temperature: float = 0.05
    teacher_temperature: float = 0.05


def finetune_loss(
    queries: Tensor, passages: Tensor, teacher: tuple[Tensor, Tensor] | None, objective: Objective
) -> Tensor:
    """`queries`, `passages` [batch, hidden], unit rows; `teacher` its vectors for both [batch, d <= hidden].

    contrast: InfoNCE both ways over the batch. ranking: cross-entropy to the teacher's distribution over the batch's
    passages. position: one minus the cosine to the teacher's vector.
    """
    logits = queries @ passages.T / objective.temperature
    labels = torch.arange(len(logits))
    loss = objective.contrast * (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2
    if teacher is None:
        return loss
    wanted = F.softmax(teacher[0] @ teacher[1].T / objective.teacher_temperature, dim=-1)
    d = teacher[0].shape[1]
    near = (queries[:, :d] * teacher[0]).sum(-1).mean() + (passages[:, :d] * teacher[1]).sum(-1).mean()
    return loss + objective.ranking * F.cross_entropy(logits, wanted) + objective.position * (2 - near)


def finetune_step(
    model: LlamaForCausalLM,
    prompts: Prompts,
    queries: TokenStore,
    passages: TokenStore,
    teacher: TeacherVectors | None,
    objective: Objective,
    max_tokens: int,
) -> Callable[[np.ndarray], float]:
    """Backward over a batch of pair numbers, in micro-batches."""

    def backward(batch: np.ndarray) -> float:
        rows = [with_prompt(queries[i], prompts.ebar, max_tokens) for i in batch]
        rows += [with_prompt(passages[i], prompts.ebae, max_tokens) for i in batch]
        guide = None
        if teacher is not None:
            at = torch.from_numpy(batch)
            guide = (teacher.queries[at], teacher.passages[at])

        def loss_of(vectors: Tensor) -> Tensor:
            return finetune_loss(vectors[: len(batch)], vectors[len(batch) :], guide, objective)

        return batched_backward(model, rows, loss_of)

    return backward
