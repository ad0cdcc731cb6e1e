"""A large contrastive batch, encoded in micro-batches sorted by length: activations that leave the processor's cache
cost more than the arithmetic.

Up to `GRAPH_TOKENS` the graphs of all micro-batches are kept. Above, gradient caching: embed without a graph,
differentiate the loss by the embeddings, then run each micro-batch again with its share of that gradient. Both equal
one big batch; caching costs one more forward pass.
"""

from typing import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import LlamaForCausalLM

from encoder import last_states, micro_batches, padded

STEP_TOKENS = 3_072
GRAPH_TOKENS = 20_000


def unit_states(model: LlamaForCausalLM, rows: list[np.ndarray]) -> Tensor:
    return F.normalize(last_states(model, *padded(rows)), dim=-1)


def batched_backward(model: LlamaForCausalLM, rows: list[np.ndarray], loss_of: Callable[[Tensor], Tensor]) -> float:
    """`rows`: ids with their prompts; `loss_of` takes the unit embeddings [rows, hidden] in that order."""
    lengths = np.array([len(row) for row in rows])
    batches = micro_batches(lengths, STEP_TOKENS)
    keep_graphs = lengths.sum() <= GRAPH_TOKENS
    with torch.set_grad_enabled(bool(keep_graphs)):
        parts = [unit_states(model, [rows[i] for i in batch]) for batch in batches]
    order = torch.from_numpy(np.argsort(np.concatenate(batches)))
    vectors = torch.cat([part.detach() for part in parts])[order].requires_grad_(True)
    loss = loss_of(vectors)
    loss.backward()
    for batch, part in zip(batches, parts):
        if not keep_graphs:
            part = unit_states(model, [rows[i] for i in batch])
        part.backward(vectors.grad[torch.from_numpy(batch)])
    return loss.item()
