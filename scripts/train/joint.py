"""EBAE and EBAR of one text in one forward pass (paper, section 3.3).

A row is `[text] SELF </s> NEXT </s>`. NEXT must not see SELF, and its positions restart where SELF's start, so each
half sees exactly what it would see alone.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import LlamaForCausalLM

from prompts import Prompts


@dataclass(frozen=True)
class JointBatch:
    """`ids` and `positions` [rows, longest]; `blocked` bool [rows, 1, longest, longest], true where a row of the
    matrix may not look; `self_ends` and `next_ends` [rows]: where the two embeddings are read."""

    ids: Tensor
    positions: Tensor
    blocked: Tensor
    self_ends: Tensor
    next_ends: Tensor


def joint_batch(bodies: list[np.ndarray], prompts: Prompts) -> JointBatch:
    """Bodies are ids without a prompt, already cut to length. Padding is on the right, where nobody looks at it."""
    own, following = len(prompts.ebae), len(prompts.ebar)
    lengths = torch.tensor([len(body) for body in bodies])
    longest = int(lengths.max()) + own + following
    ids = torch.zeros(len(bodies), longest, dtype=torch.long)
    positions = torch.zeros(len(bodies), longest, dtype=torch.long)
    blocked = torch.ones(longest, longest, dtype=torch.bool).triu(1).repeat(len(bodies), 1, 1, 1)
    for i, body in enumerate(bodies):
        n = len(body)
        total = n + own + following
        ids[i, :total] = torch.from_numpy(np.concatenate([body, prompts.ebae, prompts.ebar]).astype(np.int64))
        positions[i, : n + own] = torch.arange(n + own)
        positions[i, n + own : total] = torch.arange(n, n + following)
        blocked[i, 0, n + own : total, n : n + own] = True
    return JointBatch(ids, positions, blocked, lengths + own - 1, lengths + own + following - 1)


def joint_states(model: LlamaForCausalLM, batch: JointBatch) -> tuple[Tensor, Tensor]:
    """States after the final norm at the two `</s>`: EBAE and EBAR, each [rows, hidden]."""
    mask = torch.zeros(batch.blocked.shape).masked_fill_(batch.blocked, torch.finfo(torch.float32).min)
    states = model.model(
        input_ids=batch.ids, position_ids=batch.positions, attention_mask=mask, use_cache=False
    ).last_hidden_state
    rows = torch.arange(len(batch.ids))
    return states[rows, batch.self_ends], states[rows, batch.next_ends]
