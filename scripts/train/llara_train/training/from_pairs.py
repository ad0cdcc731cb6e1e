"""Training on pairs, the fine-tuning: InfoNCE over the passages of all devices, and a teacher's scores if any."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from llara_train.data.batch_order import MixedOrder, share_of, source_weights
from llara_train.data.contrastive_batch import contrastive_batch
from llara_train.data.pairs import PairFiles
from llara_train.model.lora import Lora, with_lora
from llara_train.model.padding import with_prompt
from llara_train.model.prompts import Prompts
from llara_train.model.source import Source
from llara_train.objectives.info_nce import Objective, contrastive_loss
from llara_train.running.devices.accelerator import trained_module
from llara_train.running.devices.gather import gathered
from llara_train.running.devices.gradient_cache import Figures, TextEncoder, cached_backward
from llara_train.running.learning_rates import Rates
from llara_train.running.loop import Finished, Keeping, Training
from llara_train.teaching.teachers import CrossTeacher, Teacher
from llara_train.training.guidance import guide_for


@dataclass(frozen=True)
class FinetunePlan:
    """What a fine-tuning is asked to do, apart from data and model.

    `batch`: queries in a step over all devices, each with `negatives` hard negatives. Token limits include the prompt.
    `micro_tokens`: padded ids of a forward pass on one device. `direct_tokens`: a batch of at most that many keeps its
    graphs, which saves the second forward pass of gradient caching. Prompts are EBAR for queries and EBAE for
    documents; the ablation tries others.
    """

    steps: int
    batch: int
    rates: Rates
    objective: Objective = Objective()
    negatives: int = 0
    query_tokens: int = 64
    passage_tokens: int = 160
    micro_tokens: int = 8_192
    direct_tokens: int = 0
    seed: int = 0
    query_prompt: str = "ebar"
    document_prompt: str = "ebae"


class FinetuneStep:
    """Backward over one step's pairs, this process's share of them, with the passages of all."""

    def __init__(
        self,
        training: Training,
        pairs: PairFiles,
        prompts: Prompts,
        plan: FinetunePlan,
        weights: np.ndarray,
        teacher: Teacher | CrossTeacher | None,
    ) -> None:
        self.training, self.pairs, self.prompts, self.plan, self.teacher = training, pairs, prompts, plan, teacher
        self.order = MixedOrder(pairs.sources, weights, plan.batch, plan.steps, plan.seed)

    def rows(self, queries: np.ndarray, passages: np.ndarray) -> list[np.ndarray]:
        """Ids with their prompts: the queries', then the passages'."""
        plan, prefix = self.plan, self.prompts.prefix
        for_queries, for_passages = self.prompts.suffix(plan.query_prompt), self.prompts.suffix(plan.document_prompt)
        found = [with_prompt(self.pairs.queries[i], for_queries, plan.query_tokens, prefix) for i in queries]
        return found + [
            with_prompt(self.pairs.passages[i], for_passages, plan.passage_tokens, prefix) for i in passages
        ]

    def __call__(self, step: int) -> tuple[dict[str, float], float]:
        """Runs the backward pass of a step; this process's share of each loss, and the tokens it read."""
        accelerator, plan = self.training.accelerator, self.plan
        processes, process = accelerator.num_processes, accelerator.process_index
        batch = contrastive_batch(self.pairs, self.order.batch(step), plan.negatives, processes, [plan.seed, 2, step])
        sizes = [len(share_of(batch.rows, i, processes)) for i in range(processes)]
        first, size = sum(sizes[:process]), sizes[process]
        own = slice(first, first + size)
        columns = slice(first * (1 + plan.negatives), (first + size) * (1 + plan.negatives))
        rows = self.rows(batch.rows[own], batch.passages[columns])
        guide = guide_for(self.training, self.teacher, self.pairs, batch, own, columns)
        labels, hidden = (torch.from_numpy(a).to(accelerator.device) for a in (batch.labels, batch.hidden))

        def loss_of(vectors: Tensor) -> tuple[Tensor, Figures]:
            queries, passages = (gathered(accelerator, part) for part in (vectors[:size], vectors[size:]))
            loss, parts = contrastive_loss(queries, passages, labels, hidden, guide, plan.objective)
            return loss * processes, parts  # gradients are averaged over the processes

        parts = cached_backward(self.training, rows, loss_of, plan.micro_tokens, plan.direct_tokens)
        return {name: part.item() / processes for name, part in parts.items()}, float(sum(map(len, rows)))


def finetune(
    accelerator: Accelerator,
    source: Source,
    pairs: PairFiles,
    plan: FinetunePlan,
    keeping: Keeping,
    lora: Lora | None = None,
    checkpointing: bool = False,
    weights: dict[str, float] | None = None,
    teacher: Teacher | CrossTeacher | None = None,
) -> tuple[Training, Finished]:
    """Trains `source.model` in place, or with `lora` adapters on it.

    Args:
        checkpointing: compute layers again in the backward pass, to save memory.
        weights: how much more often than by its number of rows a source of pairs is drawn.
        teacher: whose scores are part of the loss.

    Raises ValueError for a batch with fewer queries than processes, and for an unknown source.
    """
    if plan.batch < accelerator.num_processes:
        raise ValueError(
            f"--batch {plan.batch} is less than the number of processes: use at least {accelerator.num_processes}"
        )
    model = with_lora(source, lora, plan.seed) if lora else source.model
    if not lora and not source.model.config.tie_word_embeddings:
        source.model.get_output_embeddings().requires_grad_(False)  # the head takes no part in an embedding
    training = Training(
        accelerator, TextEncoder(trained_module(model, checkpointing), source.prompts.pooled), plan.rates
    )
    drawn = source_weights(pairs.sources, pairs.names, weights or {})
    step = FinetuneStep(training, pairs, source.prompts, plan, drawn, teacher)
    return training, training.run(step, plan.steps, plan.seed, keeping)


def finetuning_facts(
    source: Source, plan: FinetunePlan, data: list[str], lora: Lora | None, teacher: str | None
) -> dict[str, Any]:
    """The training.json of the result. `data`: names of the files of pairs; `teacher`: its folder's name."""
    stage: dict[str, Any] = {
        "name": "contrastive fine-tuning",
        "base": source.title,
        "steps": plan.steps,
        "batch": plan.batch,
        "hard_negatives": plan.negatives,
        "objective": asdict(plan.objective),
        "rate": plan.rates.layers,
        "pairs": data,
    }
    stage |= {"lora": asdict(lora)} if lora else {}
    stage |= {"teacher": teacher} if teacher else {}
    return source.facts_with(stage)
