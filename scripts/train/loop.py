"""The training loop every stage shares: two learning rates, warm-up and cosine, and a state to resume from.

A stage hands over its batches in a fixed order (seeded) and a function that runs backward on one of them. Nothing
random happens inside a step, so a run that was cut off and resumed ends where an uninterrupted one ends.
"""

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Sequence, TypeVar

import torch
from torch import nn

from checkpoint import load_state, save_state

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Rates:
    """Embeddings learn at a fraction of the layers' rate: at the full rate they undo the warm start."""

    layers: float
    embeddings_share: float = 0.1
    warm_up_steps: int = 20
    weight_decay: float = 0.01
    clip: float = 1.0


def optimiser_for(model: nn.Module, rates: Rates) -> torch.optim.AdamW:
    """Two groups: embeddings (found by name; tied heads count once) and everything else."""
    embeddings, layers = [], []
    for name, parameter in model.named_parameters():
        (embeddings if "embed_tokens" in name else layers).append(parameter)
    groups = [
        {"params": layers, "peak": rates.layers, "weight_decay": rates.weight_decay},
        {"params": embeddings, "peak": rates.layers * rates.embeddings_share, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rates.layers, betas=(0.9, 0.98))


def rate_factor(step: int, steps: int, warm_up: int) -> float:
    """Linear up over `warm_up` steps, then a cosine down to a twentieth."""
    if step < warm_up:
        return (step + 1) / warm_up
    progress = (step - warm_up) / max(1, steps - warm_up)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * progress))


def run_steps(
    model: nn.Module,
    batches: Sequence[Batch],
    backward: Callable[[Batch], float],
    rates: Rates,
    state_file: Path,
    save_every: int = 100,
    stop_at: float = math.inf,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> int:
    """Runs the steps not yet done and returns how many are done in all.

    `backward` leaves gradients on the model and returns the loss. `stop_at` is a time (time.time()) after which the
    state is saved and the loop ends early.
    """
    optimiser = optimiser_for(model, rates)
    first = 0
    state = load_state(state_file)
    if state is not None:
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        first = state["step"]

    def save(step: int) -> None:
        save_state(state_file, {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "step": step})

    model.train()
    for step in range(first, len(batches)):
        if time.time() >= stop_at:
            save(step)
            return step
        factor = rate_factor(step, len(batches), rates.warm_up_steps)
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * factor
        optimiser.zero_grad()
        loss = backward(batches[step])
        nn.utils.clip_grad_norm_(model.parameters(), rates.clip)
        optimiser.step()
        report(step, loss)
        if (step + 1) % save_every == 0 and step + 1 < len(batches):
            save(step + 1)
    save(len(batches))
    return len(batches)
