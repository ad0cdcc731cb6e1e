"""Token embeddings taught by a teacher: the same mean-of-vectors model, drawn towards the teacher's vectors while the
contrast over all pairs goes on.

It costs little more than the contrast itself, and a gain in the token vectors is a gain in the warm start.
"""

from dataclasses import dataclass
from typing import Callable

import numpy as np
import torch
from torch import Tensor

from torch.nn import functional as F

from alignment import TeacherVectors, aligned
from pair_store import PairStore, single_source_batches
from prompts import Prompts
from token_embeddings import BATCH_PAIRS, bags, contrastive_loss, embed_bags
from token_store import TokenStore

TEACHER_ROUNDS, TEACHER_PAIRS, TEACHER_RATE = 5, 512, 0.02
MIXED_RATES, MIXED_PAIRS = (0.01, 0.008), 640
EXTRA_QUERIES = 512
POSITION_WEIGHT = 2.0

Report = Callable[[str, int, float], None]


@dataclass(frozen=True)
class Objective:
    """Weights of the three parts and their temperatures."""

    contrast: float = 1.0
    ranking: float = 1.0
    position: float = 1.0
    temperature: float = 0.05
    teacher_temperature: float = 0.05


def taught_loss(queries: Tensor, passages: Tensor, teacher: tuple[Tensor, Tensor], objective: Objective) -> Tensor:
    """`queries`, `passages` [batch, d], unit rows; `teacher` its vectors for both.

    contrast: InfoNCE both ways over the batch. ranking: cross-entropy to the teacher's distribution over the batch's
    passages. position: two minus the cosines to the teacher's vectors.
    """
    logits = queries @ passages.T / objective.temperature
    wanted = F.softmax(teacher[0] @ teacher[1].T / objective.teacher_temperature, dim=-1)
    near = (queries * teacher[0]).sum(-1).mean() + (passages * teacher[1]).sum(-1).mean()
    loss = objective.ranking * F.cross_entropy(logits, wanted) + objective.position * (2 - near)
    if objective.contrast:
        loss = loss + objective.contrast * contrastive_loss(queries, passages, objective.temperature)
    return loss


def embed_store(weight: Tensor, store: TokenStore, count: int, suffix: tuple[int, ...], block: int = 2_000) -> Tensor:
    """The first `count` texts of a store, unit rows [count, d]."""
    starts = range(0, count, block)
    return torch.cat([embed_bags(weight, *bags(store, np.arange(i, min(i + block, count)), suffix)) for i in starts])


class TokenDistillation:
    """`queries`, `passages`: the sampled pairs as ids; `vectors`: the teacher's, aligned with them."""

    def __init__(self, queries: TokenStore, passages: TokenStore, vectors: TeacherVectors, prompts: Prompts, seed: int):
        self.queries, self.passages, self.vectors, self.prompts = queries, passages, vectors, prompts
        self.chance = np.random.default_rng(seed)

    def taught_loss(self, weight: Tensor, batch: np.ndarray, objective: Objective) -> Tensor:
        """The fine-tuning loss over a batch of taught pairs, and the position of further queries."""
        at = torch.from_numpy(batch)
        queries = embed_bags(weight, *bags(self.queries, batch, self.prompts.ebar))
        passages = embed_bags(weight, *bags(self.passages, batch, self.prompts.ebae))
        loss = taught_loss(queries, passages, (self.vectors.queries[at], self.vectors.passages[at]), objective)
        more = self.chance.integers(0, len(self.vectors.queries), EXTRA_QUERIES)
        near = embed_bags(weight, *bags(self.queries, more, self.prompts.ebar)) * self.vectors.queries[torch.from_numpy(more)]
        return loss - objective.position * near.sum(1).mean()

    def descend(self, weight: Tensor, losses: list[Callable[[], Tensor]], rate: float, name: str, report: Report) -> None:
        """Adam with a rate falling linearly to zero, one step per loss; `</s>` stays zero."""
        optimiser = torch.optim.Adam([weight], lr=rate)
        for step, loss_of in enumerate(losses):
            optimiser.param_groups[0]["lr"] = rate * (1 - step / len(losses))
            optimiser.zero_grad()
            loss = loss_of()
            loss.backward()
            weight.grad[self.prompts.ebae[-1]] = 0
            optimiser.step()
            report(name, step, loss.item())

    def teacher_only(self, weight: Tensor, report: Report) -> None:
        objective = Objective(position=POSITION_WEIGHT)
        count = len(self.vectors.passages)
        batches = [
            batch
            for _ in range(TEACHER_ROUNDS)
            for batch in np.array_split(self.chance.permutation(count), max(1, count // TEACHER_PAIRS))
        ]
        losses = [lambda batch=batch: self.taught_loss(weight, batch, objective) for batch in batches]
        self.descend(weight, losses, TEACHER_RATE, "teacher", report)

    def mixed(self, weight: Tensor, pairs: PairStore, rate: float, report: Report) -> None:
        objective = Objective(contrast=0, position=POSITION_WEIGHT)

        def loss_of(batch: np.ndarray) -> Tensor:
            queries = embed_bags(weight, *bags(pairs.queries, batch, self.prompts.ebar))
            passages = embed_bags(weight, *bags(pairs.positives, batch, self.prompts.ebae))
            taught = self.chance.integers(0, len(self.vectors.passages), MIXED_PAIRS)
            return contrastive_loss(queries, passages) + self.taught_loss(weight, taught, objective)

        batches = single_source_batches(pairs.sources, BATCH_PAIRS, self.chance)
        self.descend(weight, [lambda batch=batch: loss_of(batch) for batch in batches], rate, "mixed", report)


def distil_token_embeddings(
    weight: Tensor,
    pairs: PairStore,
    queries: TokenStore,
    passages: TokenStore,
    teacher_queries: np.ndarray,
    teacher_passages: np.ndarray,
    prompts: Prompts,
    seed: int,
    report: Report,
) -> Tensor:
    """Better vectors [vocabulary, d]."""
    own_queries = embed_store(weight, queries, len(teacher_queries), prompts.ebar)
    own_passages = embed_store(weight, passages, len(teacher_passages), prompts.ebae)
    vectors = aligned(teacher_queries, teacher_passages, own_queries, own_passages)
    weight = weight.clone().requires_grad_(True)
    distillation = TokenDistillation(queries, passages, vectors, prompts, seed)
    distillation.teacher_only(weight, report)
    for rate in MIXED_RATES:
        distillation.mixed(weight, pairs, rate, report)
    return weight.detach()
