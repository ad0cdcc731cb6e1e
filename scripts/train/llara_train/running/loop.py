"""The training loop, on one device or many (accelerate), which saves its state and resumes from it.

A run hands over a function that runs backward for one step, given by its number: batches and random numbers are
functions of that number and the seed alone. So a run that was cut off and resumed ends where an uninterrupted one ends.
"""

import math
import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType
from torch import nn

from llara_train.running.learning_rates import Rates, optimiser_for, rate_factor
from llara_train.running.progress import RunLog
from llara_train.running.run_state import load_run_state, save_run_state
from llara_train.running.stop_signal import StopSignal

Backward = Callable[[int], tuple[dict[str, float], float]]
"""step -> this process's share of each figure, and the tokens it read; leaves gradients on the module."""


class Keeping(NamedTuple):
    """Where a run's state lies and when it is written; `stop_at` is a time (time.time()) to save and end early."""

    folder: Path
    identity: dict[str, object]
    save_every: int = 100
    stop_at: float = math.inf
    report_every: int = 10


class Finished(NamedTuple):
    """Steps made in all, and whether the run stopped before its last one."""

    steps: int
    interrupted: bool


def seed_step(seed: int, step: int, process: int) -> None:
    """Seeds Python's and torch's random numbers (dropout) for one step of one process."""
    value = int(np.random.SeedSequence([seed, step, process]).generate_state(1, np.uint64)[0] >> np.uint64(1))
    random.seed(value)
    torch.manual_seed(value)


class Training:
    """Holds the module (wrapped for several devices if there are several) and its optimiser."""

    def __init__(self, accelerator: Accelerator, module: nn.Module, rates: Rates) -> None:
        self.accelerator, self.rates = accelerator, rates
        plugin = getattr(accelerator.state, "deepspeed_plugin", None)
        if plugin is not None:
            plugin.deepspeed_config["train_micro_batch_size_per_gpu"] = 1
        self.module, self.optimiser = accelerator.prepare(module, optimiser_for(module, rates))

    def part(self, last: bool) -> AbstractContextManager[None]:
        """Around the backward pass of one micro-batch: gradients travel between devices with the last one only.

        Not under FSDP, which would keep whole gradients on every device meanwhile.
        """
        self.accelerator.gradient_state._set_sync_gradients(last)  # DeepSpeed's engine steps when it is set
        replicated = self.accelerator.distributed_type in (DistributedType.MULTI_GPU, DistributedType.MULTI_CPU)
        return self.accelerator.no_sync(self.module) if replicated and not last else nullcontext()

    def run(self, backward: Backward, steps: int, seed: int, keeping: Keeping) -> Finished:
        """Makes the steps that are still missing. SIGINT or SIGTERM: finishes the step, saves the state and stops."""
        first = load_run_state(self.accelerator, self.module, self.optimiser, keeping.folder, keeping.identity)
        main = self.accelerator.is_main_process
        log = RunLog(keeping.folder / "losses.jsonl" if main else None, steps, first, keeping.report_every)
        self.module.train()
        done, stopping = first, False
        with StopSignal() as signal:
            while done < steps and not stopping:
                if time.time() >= keeping.stop_at:
                    signal.received = True
                figures, tokens, stopping = self._gather(*self._step(backward, done, steps, seed), signal.received)
                done += 1
                log.note(done, figures, self.optimiser.param_groups[0]["lr"], tokens)
                if done == steps or stopping or done % keeping.save_every == 0:
                    save_run_state(
                        self.accelerator, self.module, self.optimiser, keeping.folder, keeping.identity, done
                    )
        log.close()
        return Finished(done, done < steps)

    def _step(self, backward: Backward, step: int, steps: int, seed: int) -> tuple[dict[str, float], float]:
        factor = rate_factor(step, steps, self.rates)
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * factor
        seed_step(seed, step, self.accelerator.process_index)
        self.optimiser.zero_grad()
        found = backward(step)
        if self.accelerator.distributed_type != DistributedType.DEEPSPEED:  # clips by its own configuration
            self.accelerator.clip_grad_norm_(self.module.parameters(), self.rates.clip)
        self.optimiser.step()
        return found

    def _gather(self, figures: dict[str, float], tokens: float, stop: bool) -> tuple[dict[str, float], float, bool]:
        """Sums over the processes; if one of them is to stop, all stop."""
        if self.accelerator.num_processes == 1:
            return figures, tokens, stop
        row = torch.tensor([*figures.values(), tokens, float(stop)], device=self.accelerator.device)
        *sums, tokens, stops = self.accelerator.reduce(row, "sum").tolist()
        return dict(zip(figures, sums, strict=True)), tokens, stops > 0
