"""Learning rates: which parameters learn how fast, and how the rate runs over a training."""

import math
from dataclasses import dataclass

import torch
from torch import nn

SHAPES = ("cosine", "linear", "constant")


@dataclass(frozen=True)
class Rates:
    """`layers`: the peak rate. Embeddings (and an untied head) learn at a share of it: a small model that was built
    around its embeddings loses them at the full rate. `final_share`: what is left of the peak at the end."""

    layers: float
    embeddings_share: float = 1.0
    warm_up_steps: int = 20
    shape: str = "cosine"
    final_share: float = 0.05
    weight_decay: float = 0.01
    clip: float = 1.0
    betas: tuple[float, float] = (0.9, 0.98)

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise ValueError(f"the schedule must be one of {', '.join(SHAPES)}, not {self.shape!r}")


def optimiser_for(model: nn.Module, rates: Rates) -> torch.optim.AdamW:
    """AdamW over all that is trained, in up to three groups: weights, biases and norms, embeddings and head.

    Only the first group has weight decay.
    """
    weights: list[nn.Parameter] = []
    vectors: list[nn.Parameter] = []
    tables: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            table = "embed_tokens" in name or "lm_head" in name
            (tables if table else weights if parameter.ndim > 1 else vectors).append(parameter)
    groups = [
        {"params": weights, "peak": rates.layers, "weight_decay": rates.weight_decay},
        {"params": vectors, "peak": rates.layers, "weight_decay": 0.0},
        {"params": tables, "peak": rates.layers * rates.embeddings_share, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=rates.layers, betas=rates.betas)


def rate_factor(step: int, steps: int, rates: Rates) -> float:
    """Share of the peak rate at a step: linear up over the warm-up, then down to `final_share` in the given shape."""
    if step < rates.warm_up_steps:
        return (step + 1) / rates.warm_up_steps
    progress = (step - rates.warm_up_steps) / max(1, steps - rates.warm_up_steps)
    if rates.shape == "constant":
        return 1.0
    falling = 0.5 * (1 + math.cos(math.pi * progress)) if rates.shape == "cosine" else 1 - progress
    return rates.final_share + (1 - rates.final_share) * falling
