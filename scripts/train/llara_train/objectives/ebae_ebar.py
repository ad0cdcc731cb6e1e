"""The adaptation losses, EBAE and EBAR (paper, section 3): a module whose forward pass gives both from one joint pass.

Everything that needs the weights, the LM head too, happens inside forward, so that FSDP and ZeRO may shard them.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from llara_train.model.joint_pass import JointBatch, all_states, special_states
from llara_train.model.source import causal_lm
from llara_train.objectives.bag_of_words import (
    POOLINGS,
    bag_of_words_nll,
    causal_lm_nll,
    embedding_logits,
    fitted_scale,
)

SCALES = [2.0**power for power in range(-8, 3)]


@dataclass(frozen=True)
class Weights:
    """Weights of the three losses, and how they are computed. Default: as in the paper."""

    ebae: float = 1.0
    ebar: float = 1.0
    causal_lm: float = 0.0
    pooling: str = "mean-state"
    unique: bool = False

    def __post_init__(self) -> None:
        if self.pooling not in POOLINGS:
            raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, not {self.pooling!r}")


RELEASED_WEIGHTS = Weights(ebae=0.05, ebar=0.05, causal_lm=1.0, pooling="max-logit", unique=True)
LOSSES = ("ebae", "ebar", "lm")


class Adaptation(nn.Module):
    """Computes the adaptation losses of a batch. `model`: a causal LM, or a peft model around one."""

    def __init__(self, model: nn.Module, weights: Weights) -> None:
        super().__init__()
        self.model, self.weights = model, weights

    def forward(self, batch: JointBatch, own: list[np.ndarray], following: list[np.ndarray]) -> tuple[Tensor, Tensor]:
        """Weighted loss summed over rows, and [3]: the EBAE, EBAR and causal-LM losses summed over rows, unweighted.

        `own` and `following`: target ids of each row; a row without targets counts 0. A loss of weight 0 is not
        computed, its targets' embedding learns nothing.
        """
        llama, weights = causal_lm(self.model), self.weights
        states = all_states(llama, batch)
        parts = states.new_zeros(3, dtype=torch.float32)
        halves = ((weights.ebae, batch.self_ends, own), (weights.ebar, batch.next_ends, following))
        found = []
        for weight, ends, targets in halves:
            if weight:
                logits = embedding_logits(special_states(states, ends, batch.pooled), llama.lm_head, weights.pooling)
                found.append(bag_of_words_nll(logits, targets).sum())
            else:
                found.append(parts[0])
        found.append(causal_lm_nll(states, llama.lm_head, batch.ids, batch.bodies) if weights.causal_lm else parts[0])
        parts = torch.stack([part.float() for part in found])
        return (parts * parts.new_tensor([weights.ebae, weights.ebar, weights.causal_lm])).sum(), parts.detach()


@torch.no_grad()
def fit_logit_scale(module: Adaptation, batch: JointBatch, own: list[np.ndarray]) -> float:
    """Scales the final norm's weight so that the first EBAE loss is lowest; unit-length embeddings do not change.

    For models made without a language-modelling head in mind, whose tied embeddings give logits of any size.
    """
    llama = causal_lm(module.model)
    states = special_states(all_states(llama, batch), batch.self_ends, batch.pooled)

    def loss(scale: float) -> float:
        logits = embedding_logits(states * scale, llama.lm_head, module.weights.pooling)
        return bag_of_words_nll(logits, own).mean().item()

    best = fitted_scale({scale: loss(scale) for scale in SCALES})
    llama.model.norm.weight.mul_(best)
    return best
