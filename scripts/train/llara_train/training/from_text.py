"""Training on plain text, the adaptation: EBAE and EBAR of a chunk and the one that follows, from one joint pass."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator

from llara_train.data.batch_order import ShuffledOrder, share_of
from llara_train.data.examples import Example, ExampleStore, frequent_ids
from llara_train.model.joint_pass import JointBatch, joint_batch
from llara_train.model.lora import Lora, with_lora
from llara_train.model.prompts import Prompts
from llara_train.model.source import Source
from llara_train.objectives.bag_of_words import target_set
from llara_train.objectives.ebae_ebar import LOSSES, Adaptation, Weights, fit_logit_scale
from llara_train.running.devices.accelerator import trained_module
from llara_train.running.devices.micro_batches import agreed_micro_batches
from llara_train.running.learning_rates import Rates
from llara_train.running.loop import Finished, Keeping, Training


@dataclass(frozen=True)
class AdaptPlan:
    """What an adaptation is asked to do, apart from data and model.

    `batch`: examples in a step over all devices. `micro_tokens`: padded ids of a forward pass on one device.
    `drop_frequent`: that many of the most frequent ids (stop words) are no targets.
    """

    steps: int
    batch: int
    rates: Rates
    weights: Weights = Weights()
    micro_tokens: int = 8_192
    seed: int = 0
    drop_frequent: int = 0


class AdaptStep:
    """Backward over one step's examples, this process's share of them."""

    def __init__(
        self, training: Training, examples: ExampleStore, prompts: Prompts, left_out: frozenset[int], plan: AdaptPlan
    ) -> None:
        self.training, self.plan = training, plan
        self.examples, self.prompts, self.left_out = examples, prompts, left_out
        self.order = ShuffledOrder(len(examples), plan.batch, plan.seed)

    def targets(self, ids: np.ndarray) -> np.ndarray:
        """The ids of a chunk that its embedding must name."""
        return target_set(ids, self.left_out, self.plan.weights.unique)

    def __call__(self, step: int) -> tuple[dict[str, float], float]:
        """Runs the backward pass of a step; this process's share of each loss, and the tokens it read."""
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

    def inputs(self, some: list[Example]) -> tuple[JointBatch, list[np.ndarray], list[np.ndarray]]:
        """What the module's forward pass takes: the batch, and the target ids of EBAE and of EBAR for each row."""
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
    """Trains `source.model` in place, or with `lora` adapters on it.

    Args:
        checkpointing: compute layers again in the backward pass, to save memory.
        fit_scale: first scale the final norm so that the loss starts lowest.
    """
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


def adaptation_facts(source: Source, plan: AdaptPlan, data: list[str]) -> dict[str, Any]:
    """The training.json of the result. `data`: names of the files of text."""
    stage = {
        "name": "EBAE + EBAR adaptation",
        "base": source.title,
        "steps": plan.steps,
        "batch": plan.batch,
        "weights": asdict(plan.weights),
        "rate": plan.rates.layers,
        "text": data,
    }
    return source.facts_with(stage)
