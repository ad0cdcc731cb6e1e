"""Teaches a student the teacher's vectors: queries read with the EBAR prompt, passages with EBAE.

    python distil.py --start port.pt --sample sample.jsonl --vectors teacher.pt --teacher FOLDER --data DATA --out DIR

Every text is a lesson of its own: its vector shall point where the teacher's does, and rank a bank of the teacher's
vectors as the teacher's own does. So batches can be sorted by length and split between processes, one thread each:
they meet once a step, which on a shared machine costs less than threads that meet at every product. Leaves a Hugging
Face checkpoint; run it again to go on where it was stopped.
"""

import argparse
import os
import random
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional as F

import model_facts
from checkpoint import load_state, save_checkpoint, save_state
from lean_llama import LeanLlama, Shape, stock_llama
from lessons import Lessons, read_lessons
from tokenizer import BOS, EOS, PAD
from wordpiece import llama_tokenizer


MAX_POSITIONS = 1_024


@dataclass(frozen=True)
class Options:
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
    """One process's part of the training; all processes hold the same weights."""

    def __init__(self, student: LeanLlama, lessons: Lessons, options: Options, state: Path):
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
        if saved := load_state(state):
            student.load_state_dict(saved["model"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.step = saved["step"]

    def run(self, report: Callable[[int, int, float, float], None]) -> None:
        """Goes on from the last state; `report(step, steps, distance, ranking)` after every step."""
        options, saved = self.options, time.monotonic()
        lengths = [len(row) for row in self.lessons.rows]
        each = len(plan(lengths, self.processes, options.micro_batch, 0))
        steps, epoch, steps_of_epoch = int(each * options.epochs), -1, []
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
        flat = torch.cat([p.grad.flatten() for p in self.parameters])
        dist.all_reduce(flat)
        for p, grad in zip(self.parameters, flat.div_(self.processes).split([p.numel() for p in self.parameters])):
            p.grad.copy_(grad.view_as(p))

    def save(self) -> None:
        if self.rank == 0:
            state = {"model": self.student.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step}
            save_state(self.state, state)


def load_student(file: Path) -> LeanLlama:
    saved = load_state(file)
    if saved is None:
        raise SystemExit(f"{file} does not exist; port.py makes it")
    student = LeanLlama(Shape(**saved["shape"]))
    student.load_state_dict(saved["model"])
    return student


def _work(rank: int, given: argparse.Namespace, options: Options) -> None:
    torch.set_num_threads(1)
    if given.processes > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(given.port))
        dist.init_process_group("gloo", rank=rank, world_size=given.processes)
    student = load_student(given.start)
    lessons = read_lessons(given.sample, given.vectors, given.teacher)
    distillation = Distillation(student, lessons, options, given.out.with_name(given.out.name + ".state.pt"))

    def report(step: int, steps: int, distance: float, ranking: float) -> None:
        if rank == 0 and (step % 25 == 0 or step == steps):
            print(f"{time.strftime('%H:%M:%S')} {step}/{steps} distance {distance:.4f} ranking {ranking:.4f}", flush=True)

    distillation.run(report)
    if rank == 0:
        save_student(student, given, distillation.step, len(lessons), options)


def save_student(student: LeanLlama, given: argparse.Namespace, steps: int, texts: int, options: Options) -> None:
    tokenizer = llama_tokenizer(given.teacher)
    bos, eos, pad = (tokenizer.token_to_id(token) for token in (BOS, EOS, PAD))
    stock = stock_llama(student, MAX_POSITIONS, bos_token_id=bos, eos_token_id=eos, pad_token_id=pad)
    facts = model_facts.of_port(given.data, student.shape.rope_theta, steps, texts, vars(options))
    save_checkpoint(given.out, stock, tokenizer, facts, bos=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("start", "sample", "vectors", "teacher", "data", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--epochs", type=float, default=Options.epochs)
    parser.add_argument("--rate", type=float, default=Options.rate)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--port", type=int, default=29_611)
    given = parser.parse_args()
    options = replace(Options(), epochs=given.epochs, rate=given.rate)
    torch.multiprocessing.spawn(_work, (given, options), nprocs=given.processes)


if __name__ == "__main__":
    main()
