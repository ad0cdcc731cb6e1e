"""The joint pass: EBAE and EBAR of one text in one forward pass (paper, section 3.3).

A row is `prefix text SELF specials NEXT specials`. NEXT must not see SELF, and its positions restart where SELF's
start, so each half sees exactly what it would see alone.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from llara_train.model.prompts import Prompts


@dataclass(frozen=True)
class JointBatch:
    """`ids` and `positions` [rows, longest]; `blocked` bool [rows, 1, longest, longest], true where a row of the
    matrix may not look; `self_ends` and `next_ends` [rows]: the last position of either half; `bodies` [rows, 2]:
    where the text starts and ends (exclusive); `pooled`: special positions of a half, the last of which is its end."""

    ids: Tensor
    positions: Tensor
    blocked: Tensor
    self_ends: Tensor
    next_ends: Tensor
    bodies: Tensor
    pooled: int = 1

    def to(self, device: torch.device) -> "JointBatch":
        """The same batch on a device."""
        return JointBatch(
            self.ids.to(device),
            self.positions.to(device),
            self.blocked.to(device),
            self.self_ends.to(device),
            self.next_ends.to(device),
            self.bodies.to(device),
            self.pooled,
        )


def joint_batch(bodies: list[np.ndarray], prompts: Prompts) -> JointBatch:
    """A batch of texts: `bodies` are ids without a prompt, already cut to length. No token sees the padding."""
    before, own, following = len(prompts.prefix), len(prompts.ebae), len(prompts.ebar)
    lengths = torch.tensor([before + len(body) for body in bodies])
    longest = int(lengths.max()) + own + following
    ids = torch.zeros(len(bodies), longest, dtype=torch.long)
    positions = torch.zeros(len(bodies), longest, dtype=torch.long)
    blocked = torch.ones(longest, longest, dtype=torch.bool).triu(1).repeat(len(bodies), 1, 1, 1)
    for i, body in enumerate(bodies):
        n = before + len(body)
        total = n + own + following
        row = np.concatenate([prompts.prefix, body, prompts.ebae, prompts.ebar])
        ids[i, :total] = torch.from_numpy(row.astype(np.int64))
        positions[i, : n + own] = torch.arange(n + own)
        positions[i, n + own : total] = torch.arange(n, n + following)
        blocked[i, 0, n + own : total, n : n + own] = True
    places = torch.stack([torch.full_like(lengths, before), lengths], dim=1)
    return JointBatch(ids, positions, blocked, lengths + own - 1, lengths + own + following - 1, places, prompts.pooled)


def last_positions(ends: Tensor, pooled: int) -> Tensor:
    """[rows] -> [rows, pooled]: the last positions up to and with each end."""
    return ends.unsqueeze(1) + torch.arange(1 - pooled, 1, device=ends.device)


def special_states(states: Tensor, ends: Tensor, pooled: int) -> Tensor:
    """[rows, longest, hidden] -> [rows, pooled, hidden], the states at the special tokens of a prompt."""
    return states[torch.arange(len(states), device=states.device).unsqueeze(1), last_positions(ends, pooled)]


def all_states(model: PreTrainedModel, batch: JointBatch) -> Tensor:
    """[rows, longest, hidden] after the final norm, under the joint mask and positions."""
    lowest = torch.finfo(model.dtype).min
    mask = torch.zeros(batch.blocked.shape, dtype=model.dtype, device=batch.ids.device)
    return model.model(
        input_ids=batch.ids,
        position_ids=batch.positions,
        attention_mask=mask.masked_fill_(batch.blocked, lowest),
        use_cache=False,
    ).last_hidden_state


def joint_states(model: PreTrainedModel, batch: JointBatch) -> tuple[Tensor, Tensor]:
    """The embeddings before normalisation, EBAE and EBAR, each [rows, hidden]: means over a half's special tokens."""
    states = all_states(model, batch)
    own = special_states(states, batch.self_ends, batch.pooled)
    return own.mean(1), special_states(states, batch.next_ends, batch.pooled).mean(1)
