"""Training on lessons, the distillation: a text's vector learns to point where the teacher's vector of it points, and
to rank a bank of the teacher's vectors as that one does.

Every text is a lesson of its own. So batches can be sorted by length and split between processes, one thread each:
they meet once a step, which on a shared machine costs less than threads that meet at every product.
"""

import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional as F

from llara_train.porting.lean_llama import LeanLlama
from llara_train.running.run_state import load_state, save_state
from llara_train.teaching.lessons import Lessons


@dataclass(frozen=True)
class Options:
    """Settings of a distillation. Of these, `bank` is how many of the teacher's vectors are ranked in the loss."""

    epochs: float = 2.0
    rate: float = 3e-4
    warm_up: int = 60
    micro_batch: int = 32
    """Texts of one forward pass; a step takes two of each process."""
    bank: int = 6_144
    temperature: float = 0.05
    cosine_weight: float = 10.0
    clip: float = 5.0
    final_share: float = 0.02
    seed: int = 1
    save_every_s: float = 240.0
    train_embedding: bool = False


def lesson_loss(vectors: Tensor, wanted: Tensor, bank: Tensor, options: Options) -> tuple[Tensor, Tensor]:
    """Mean distance in cosine, and mean KL divergence between the two rankings of the bank.

    Args:
        vectors, wanted: unit rows [texts, hidden].
        bank: unit rows [bank, hidden].
    """
    distance = (1 - (vectors * wanted).sum(1)).mean()
    given, own = ((rows @ bank.T) / options.temperature for rows in (vectors, wanted))
    ranking = F.kl_div(given.log_softmax(-1), own.log_softmax(-1), log_target=True, reduction="batchmean")
    return distance, ranking


def plan(lengths: list[int], processes: int, micro_batch: int, seed: int) -> list[list[list[int]]]:
    """Steps of one epoch: two micro-batches of about one length for each process, steps in random order."""
    chance = random.Random(seed)
    order = list(range(len(lengths)))
    chance.shuffle(order)
    steps: list[list[list[int]]] = []
    window = micro_batch * processes * 16
    for start in range(0, len(order), window):
        part = sorted(order[start : start + window], key=lengths.__getitem__)
        batches = [part[i : i + micro_batch] for i in range(0, len(part), micro_batch)]
        alike = [batches[i : i + processes] for i in range(0, len(batches) - processes + 1, processes)]
        chance.shuffle(alike)
        steps += [alike[i] + alike[i + 1] for i in range(0, len(alike) - 1, 2)]
    return steps


class Distillation:
    """One process's part of the training; all processes hold the same weights.

    Raises ValueError when `state` is another run's.
    """

    def __init__(self, student: LeanLlama, lessons: Lessons, options: Options, state: Path) -> None:
        self.student, self.lessons, self.options, self.state = student, lessons, options, state
        student.embedding.requires_grad_(options.train_embedding)
        self.parameters = [p for p in student.parameters() if p.requires_grad]
        decayed = [p for p in self.parameters if p.ndim > 1]
        others = [p for p in self.parameters if p.ndim == 1]
        groups = [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=options.rate, betas=(0.9, 0.98))
        chosen = random.Random(options.seed).sample(range(len(lessons)), min(options.bank, len(lessons)))
        self.bank = lessons.wanted[torch.tensor(chosen)]
        self.rank, self.processes = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
        self.step = 0
        self.identity = {"texts": len(lessons), "processes": self.processes, **asdict(options)}
        if saved := load_state(state):
            if saved["identity"] != self.identity:
                message = (
                    f"{state} is the state of a run with other lessons or options: use the same again, or delete it"
                )
                raise ValueError(message)
            student.load_state_dict(saved["model"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.step = saved["step"]

    def run(self, report: Callable[[int, int, float, float], None]) -> None:
        """Makes the steps that are still missing; calls `report(step, steps, distance, ranking)` after each.

        Raises ValueError when the lessons are too few for one step.
        """
        options, saved = self.options, time.monotonic()
        lengths = [len(row) for row in self.lessons.rows]
        each = len(plan(lengths, self.processes, options.micro_batch, 0))
        if each == 0:
            raise ValueError(
                f"{len(lengths)} lessons are too few for a step: give more, or use a smaller --micro-batch"
            )
        steps, epoch = int(each * options.epochs), -1
        steps_of_epoch: list[list[list[int]]] = []
        while self.step < steps:
            if self.step // each != epoch:
                epoch = self.step // each
                steps_of_epoch = plan(lengths, self.processes, options.micro_batch, epoch)
            rise = min(1.0, (self.step + 1) / options.warm_up)
            for group in self.optimizer.param_groups:
                group["lr"] = options.rate * rise * max(options.final_share, 1 - self.step / steps)
            figures = self._take(steps_of_epoch[self.step % each][self.rank :: self.processes])
            self.step += 1
            report(self.step, steps, *figures)
            if time.monotonic() - saved > options.save_every_s or self.step == steps:
                self.save()
                saved = time.monotonic()

    def _take(self, batches: list[list[int]]) -> tuple[float, float]:
        distances, rankings = 0.0, 0.0
        for batch in batches:
            vectors = self.student(*self.lessons.padded(batch))
            distance, ranking = lesson_loss(vectors, self.lessons.wanted[batch], self.bank, self.options)
            ((self.options.cosine_weight * distance + ranking) / len(batches)).backward()
            distances, rankings = distances + distance.item(), rankings + ranking.item()
        if self.processes > 1:
            self._average_gradients()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.options.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return distances / len(batches), rankings / len(batches)

    def _average_gradients(self) -> None:
        gradients = [cast(Tensor, p.grad) for p in self.parameters]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        means = flat.div_(self.processes).split([gradient.numel() for gradient in gradients])
        for gradient, mean in zip(gradients, means, strict=True):
            gradient.copy_(mean.view_as(gradient))

    def save(self) -> None:
        """Writes the state to resume from (the first process only)."""
        if self.rank == 0:
            learnt = {"model": self.student.state_dict(), "optimizer": self.optimizer.state_dict()}
            save_state(self.state, {**learnt, "step": self.step, "identity": self.identity})
