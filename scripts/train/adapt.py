"""Adapts a LLaMA to dense retrieval on plain text (paper, section 3): EBAE and EBAR, both from one joint pass.

    python adapt.py --model meta-llama/Llama-2-7b-hf --data wikipedia.jsonl.xz --out runs/adapted

The EBAE embedding must name the tokens of the text it read, the EBAR embedding those of the chunk that follows. Leaves
OUT/checkpoint (a Hugging Face folder; OUT/adapter with --lora), OUT/losses.jsonl and OUT/losses.png. Run it again to go
on where it was stopped.
"""

from dataclasses import asdict

import numpy as np
import torch
from accelerate import Accelerator

from adapt_options import parse
from adapt_plan import AdaptPlan
from adaptation import LOSSES, Adaptation, fit_logit_scale
from bag_of_words import target_set
from batch_order import ShuffledOrder, share_of
from chunks import Example, ExampleStore, frequent_ids, open_examples, prepare_examples
from joint import joint_batch
from loop import Finished, Keeping, Training
from micro_batch import agreed_micro_batches
from model_source import Lora, Source, load_source, with_lora
from options import freeze
from prompts import Prompts
from result import save_result
from run import accelerator_for, conclude, is_concluded, keeping_for, plain_errors, trained_module
from templates import prompt_record


class AdaptStep:
    """Backward over one step's examples, this process's share of them."""

    def __init__(
        self, training: Training, examples: ExampleStore, prompts: Prompts, left_out: frozenset[int], plan: AdaptPlan
    ):
        self.training, self.examples, self.prompts, self.left_out, self.plan = (
            training, examples, prompts, left_out, plan,
        )  # fmt: skip
        self.order = ShuffledOrder(len(examples), plan.batch, plan.seed)

    def targets(self, ids: np.ndarray) -> np.ndarray:
        return target_set(ids, self.left_out, self.plan.weights.unique)

    def __call__(self, step: int) -> tuple[dict[str, float], float]:
        accelerator = self.training.accelerator
        numbers = share_of(self.order.batch(step), accelerator.process_index, accelerator.num_processes)
        share = [self.examples[int(i)] for i in numbers]
        around = len(self.prompts.prefix) + len(self.prompts.ebae) + len(self.prompts.ebar)
        lengths = np.array([len(example.body) + around for example in share])
        parts = agreed_micro_batches(accelerator, lengths, self.plan.micro_tokens)
        losses = torch.zeros(3)
        for i, (part, counted) in enumerate(parts):
            with self.training.part(last=i + 1 == len(parts)):
                loss, found = self.training.module(*self.inputs([share[j] for j in part]))
                # Gradients are averaged over the processes, so each is given its sum times their number.
                accelerator.backward(loss * (counted * accelerator.num_processes / self.plan.batch))
            losses += found.cpu() * counted
        means = losses / self.plan.batch
        weights = self.plan.weights
        shown = (weights.ebae, weights.ebar, weights.causal_lm)
        figures = {name: means[i].item() for i, name in enumerate(LOSSES) if shown[i]}
        return figures, float(lengths.sum())

    def inputs(self, some: list[Example]) -> tuple:
        batch = joint_batch([example.body for example in some], self.prompts)
        own = [self.targets(example.body) for example in some]
        return batch.to(self.training.accelerator.device), own, [self.targets(e.following) for e in some]


def adapt(
    accelerator: Accelerator,
    source: Source,
    examples: ExampleStore,
    plan: AdaptPlan,
    keeping: Keeping,
    lora: Lora | None = None,
    checkpointing: bool = False,
    fit_scale: bool = False,
) -> tuple[Training, Finished]:
    """Trains `source.model` in place (or adapters on it)."""
    left_out = source.tokenizer.special_ids() | frequent_ids(examples, plan.drop_frequent)
    model = with_lora(source, lora, plan.seed) if lora else source.model
    module = Adaptation(trained_module(model, checkpointing), plan.weights)
    if fit_scale:
        first = [examples[i] for i in range(min(64, len(examples)))]
        own = [target_set(example.body, left_out, plan.weights.unique) for example in first]
        fit_logit_scale(module, joint_batch([example.body for example in first], source.prompts), own)
    training = Training(accelerator, module, plan.rates)
    step = AdaptStep(training, examples, source.prompts, left_out, plan)
    return training, training.run(step, plan.steps, plan.seed, keeping)


def adaptation_facts(source: Source, plan: AdaptPlan, data: list[str]) -> dict:
    """The training.json of the result: what it said before, the prompts, and this stage."""
    stage = {
        "name": "EBAE + EBAR adaptation",
        "base": source.title,
        "steps": plan.steps,
        "batch": plan.batch,
        "weights": asdict(plan.weights),
        "rate": plan.rates.layers,
        "text": data,
    }
    stages = [*source.facts.get("stages", []), stage]
    return {**source.facts, "prompts": prompt_record(source.template, source.tokenizer.bos is not None), "stages": stages}


def main(arguments: list[str] | None = None) -> int:
    given = parse(__doc__, arguments)
    accelerator = accelerator_for(given.precision)
    plan, chunking = given.plan, given.chunking
    identity = {"command": "adapt", "plan": asdict(plan), "chunking": asdict(chunking), **given.identity()}
    if is_concluded(accelerator, given.out, identity):
        return 0
    source = load_source(given.model, given.template, given.load_dtype, plan.seed)
    freeze(source.model, given.freeze)
    folder = given.out / "examples"
    if accelerator.is_main_process:
        prepare_examples(folder, given.data, source.tokenizer, chunking, plan.seed, given.field, given.documents)
    accelerator.wait_for_everyone()
    examples = open_examples(folder)
    if len(examples) == 0:
        raise ValueError("no document was long enough for a chunk and the one that follows; try a smaller --chunk-size")
    training, finished = adapt(
        accelerator, source, examples, plan, keeping_for(given, identity), given.lora, given.gradient_checkpointing,
        given.fit_scale,
    )  # fmt: skip
    facts = adaptation_facts(source, plan, [file.name for file in given.data])
    return conclude(
        accelerator, given.out, identity, finished,
        lambda: save_result(accelerator, training.module, source, given.out, facts, given.merge),
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(plain_errors(main))
