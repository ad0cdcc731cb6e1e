"""A large contrastive batch on small memory: embed without a graph, differentiate the loss by the embeddings, then
run each micro-batch again with its share of that gradient. Equal to one big batch; costs one more forward pass."""

from typing import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import LlamaForCausalLM

from encoder import last_states, micro_batches, padded

STEP_TOKENS = 3_072


def unit_states(model: LlamaForCausalLM, rows: list[np.ndarray]) -> Tensor:
    return F.normalize(last_states(model, *padded(rows)), dim=-1)


def cached_backward(model: LlamaForCausalLM, rows: list[np.ndarray], loss_of: Callable[[Tensor], Tensor]) -> float:
    """`rows`: ids with their prompts; `loss_of` takes the unit embeddings [rows, hidden] in that order."""
    batches = micro_batches(np.array([len(row) for row in rows]), STEP_TOKENS)
    vectors = torch.empty(len(rows), model.config.hidden_size)
    with torch.no_grad():
        for batch in batches:
            vectors[torch.from_numpy(batch)] = unit_states(model, [rows[i] for i in batch])
    vectors.requires_grad_(True)
    loss = loss_of(vectors)
    loss.backward()
    for batch in batches:
        unit_states(model, [rows[i] for i in batch]).backward(vectors.grad[torch.from_numpy(batch)])
    return loss.item()
