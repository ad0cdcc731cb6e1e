"""Fine-tunes an adapted LLaMA on pairs (paper, section 4): InfoNCE with in-batch and hard negatives, LoRA or in full.

    python finetune.py --model runs/adapted/checkpoint --pairs msmarco.jsonl --out runs/finetuned --lora

Queries take the EBAR prompt, documents EBAE. Leaves OUT/adapter (with --merge OUT/checkpoint too), or OUT/checkpoint
without --lora, OUT/losses.jsonl and OUT/losses.png. Run it again to go on where it was stopped.
"""

from dataclasses import asdict

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from batch_order import MixedOrder, share_of, source_weights
from contrast import contrastive_loss
from contrastive_batch import contrastive_batch
from encoder import with_prompt
from finetune_options import parse
from finetune_plan import FinetunePlan
from gather import gathered
from gradient_cache import Figures, TextEncoder, cached_backward
from guidance import guide_for
from loop import Finished, Keeping, Training
from model_source import Lora, Source, load_source, with_lora
from options import freeze
from pair_files import PairFiles, prepare_pairs
from prompts import Prompts
from result import save_result
from run import accelerator_for, conclude, is_concluded, keeping_for, plain_errors, trained_module
from teacher import CrossTeacher, Teacher, load_teacher
from templates import prompt_record


class FinetuneStep:
    """Backward over one step's pairs, this process's share of them, with the passages of all."""

    def __init__(
        self, training: Training, pairs: PairFiles, prompts: Prompts, plan: FinetunePlan, weights: np.ndarray,
        teacher: Teacher | CrossTeacher | None,
    ):  # fmt: skip
        self.training, self.pairs, self.prompts, self.plan, self.teacher = training, pairs, prompts, plan, teacher
        self.order = MixedOrder(pairs.sources, weights, plan.batch, plan.steps, plan.seed)

    def rows(self, queries: np.ndarray, passages: np.ndarray) -> list[np.ndarray]:
        """Ids with their prompts: the queries', then the passages'."""
        plan, prefix = self.plan, self.prompts.prefix
        asked, told = (getattr(self.prompts, name) for name in (plan.query_prompt, plan.document_prompt))
        found = [with_prompt(self.pairs.queries[i], asked, plan.query_tokens, prefix) for i in queries]
        return found + [with_prompt(self.pairs.passages[i], told, plan.passage_tokens, prefix) for i in passages]

    def __call__(self, step: int) -> tuple[dict[str, float], float]:
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
    """Trains `source.model` in place (or adapters on it)."""
    if plan.batch < accelerator.num_processes:
        raise ValueError(f"--batch {plan.batch} is less than the {accelerator.num_processes} processes")
    model = with_lora(source, lora, plan.seed) if lora else source.model
    if not lora and not source.model.config.tie_word_embeddings:
        source.model.get_output_embeddings().requires_grad_(False)  # the head takes no part in an embedding
    training = Training(accelerator, TextEncoder(trained_module(model, checkpointing), source.prompts.pooled), plan.rates)
    drawn = source_weights(pairs.sources, pairs.names, weights or {})
    step = FinetuneStep(training, pairs, source.prompts, plan, drawn, teacher)
    return training, training.run(step, plan.steps, plan.seed, keeping)


def finetuning_facts(source: Source, plan: FinetunePlan, data: list[str], lora: Lora | None, teacher: str | None) -> dict:
    """The training.json of the result: what it said before, the prompts, and this stage."""
    stage = {
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
    stages = [*source.facts.get("stages", []), stage]
    return {**source.facts, "prompts": prompt_record(source.template, source.tokenizer.bos is not None), "stages": stages}


def main(arguments: list[str] | None = None) -> int:
    given = parse(__doc__, arguments)
    accelerator = accelerator_for(given.precision)
    plan = given.plan
    identity = {"command": "finetune", "plan": asdict(plan), **given.identity()}
    if is_concluded(accelerator, given.out, identity):
        return 0
    source = load_source(given.model, given.template, given.load_dtype, plan.seed)
    freeze(source.model, given.freeze)
    folder = given.out / "pairs"
    if accelerator.is_main_process:
        prepare_pairs(folder, given.pairs, source.tokenizer, plan.query_tokens, plan.passage_tokens, given.limit)
    accelerator.wait_for_everyone()
    pairs = PairFiles(folder)
    teacher = load_teacher(given.teacher, accelerator.device) if given.teacher else None
    training, finished = finetune(
        accelerator, source, pairs, plan, keeping_for(given, identity), given.lora, given.gradient_checkpointing,
        given.weights, teacher,
    )  # fmt: skip
    facts = finetuning_facts(source, plan, [file.name for file in given.pairs], given.lora, given.teacher_name)
    return conclude(
        accelerator, given.out, identity, finished,
        lambda: save_result(accelerator, training.module, source, given.out, facts, given.merge),
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(plain_errors(main))
