"""A contrastive batch of any size in parts that fit the memory (gradient caching, Gao et al. 2021).

Embed all parts without a graph, differentiate the loss by the embeddings, then run each part again, with the random
numbers (dropout) it had before, and its share of that gradient. Equal to one big batch, for one more forward pass. A
batch that fits is run directly.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from llara_train.model.encoder import last_states
from llara_train.model.padding import padded
from llara_train.running.devices.micro_batches import agreed_micro_batches
from llara_train.running.loop import Training

Figures = dict[str, Tensor]


class TextEncoder(nn.Module):
    """Ids to unit rows. `model`: a causal LM, or a peft model around one; its head takes no part."""

    def __init__(self, model: nn.Module, pooled: int) -> None:
        super().__init__()
        self.model, self.pooled = model, pooled

    def forward(self, ids: Tensor, ends: Tensor) -> Tensor:
        """Right-padded ids [rows, longest] and the index of each row's last id -> unit rows [rows, hidden]."""
        return F.normalize(last_states(self.model, ids, ends, self.pooled).float(), dim=-1)


class RandomState:
    """The random numbers' state, of the processor and of the GPU in use, to have the same dropout again."""

    def __init__(self) -> None:
        self.processor = torch.get_rng_state()
        self.gpu = torch.cuda.get_rng_state() if torch.cuda.is_available() else None

    def restore(self) -> None:
        """Sets the random numbers back to where they were."""
        torch.set_rng_state(self.processor)
        if self.gpu is not None:
            torch.cuda.set_rng_state(self.gpu)


def _embed(training: Training, rows: list[np.ndarray], part: np.ndarray) -> Tensor:
    device = training.accelerator.device
    ids, ends = padded([rows[i] for i in part])
    return training.module(ids.to(device), ends.to(device))


def cached_backward(
    training: Training,
    rows: list[np.ndarray],
    loss_of: Callable[[Tensor], tuple[Tensor, Figures]],
    micro_tokens: int,
    direct_tokens: int,
) -> Figures:
    """Runs the backward pass of a loss over all rows; returns the figures that `loss_of` gave.

    `rows`: this process's ids with their prompts. `loss_of` takes the unit embeddings [rows, hidden] in that order.

    `micro_tokens`: padded ids of one part. `direct_tokens`: a batch of at most that many keeps all its graphs, which
    saves the second forward pass. Must be chosen alike on every process; so must the number of rows.
    """
    accelerator = training.accelerator
    lengths = np.array([len(row) for row in rows])
    parts = agreed_micro_batches(accelerator, lengths, micro_tokens)
    counted = np.concatenate([part for part, is_counted in parts if is_counted])
    order = torch.from_numpy(np.argsort(counted)).to(accelerator.device)
    if len(parts) == 1 or (lengths.max() * len(rows) <= direct_tokens and accelerator.num_processes == 1):
        with training.part(last=True):
            loss, figures = loss_of(torch.cat([_embed(training, rows, part) for part, _ in parts])[order])
            accelerator.backward(loss)
        return figures
    states, found = [], []
    with torch.no_grad():
        for part, is_counted in parts:
            states.append(RandomState())
            vectors = _embed(training, rows, part)
            if is_counted:
                found.append(vectors)
    vectors = torch.cat(found)[order].requires_grad_(True)
    loss, figures = loss_of(vectors)
    gradient = torch.autograd.grad(loss, vectors)[0]
    for i, ((part, is_counted), state) in enumerate(zip(parts, states, strict=True)):
        state.restore()
        with training.part(last=i + 1 == len(parts)):
            again = _embed(training, rows, part)
            own = gradient[torch.from_numpy(part).to(gradient.device)]
            accelerator.backward((again * own).sum() * is_counted)
    return figures
