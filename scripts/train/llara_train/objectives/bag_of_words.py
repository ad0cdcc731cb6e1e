"""The adaptation loss (paper, Eq. 6): one embedding must make every token of a target set likely.

The embedding goes through the LM head W [vocabulary, hidden] and a softmax over the vocabulary; the loss is the mean
negative log-likelihood of the targets. No order, no decoder. The paper counts every token of the text; the released
code counts unique ones, and takes the largest logit over its eight special positions before the softmax.
"""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

POOLINGS = ("mean-state", "max-logit")
POSITIONS_AT_ONCE = 2_048


def target_set(ids: np.ndarray, left_out: frozenset[int], unique: bool = True) -> np.ndarray:
    """Ids of the text as the model saw it (already cut), without specials and the like; each once if `unique`."""
    kept = np.unique(ids) if unique else ids
    return np.array([token for token in kept if int(token) not in left_out], dtype=np.int64)


def embedding_logits(states: Tensor, head: torch.nn.Module, pooling: str) -> Tensor:
    """`states` [rows, special positions, hidden] after the final norm -> logits [rows, vocabulary], float32."""
    if pooling == "max-logit":
        return head(states).float().amax(dim=1)
    return head(states.mean(dim=1)).float()


def bag_of_words_nll(logits: Tensor, targets: list[np.ndarray]) -> Tensor:
    """[rows]: mean negative log-likelihood of each row's targets; 0 for a row without any."""
    counts = torch.tensor([len(row) for row in targets])
    rows = torch.repeat_interleave(torch.arange(len(targets)), counts).to(logits.device)
    tokens = torch.from_numpy(np.concatenate(targets).astype(np.int64)).to(logits.device)
    weights = (1.0 / counts.clamp_min(1)).to(logits)[rows]
    likelihoods = F.log_softmax(logits, dim=-1)[rows, tokens]
    return torch.zeros(len(targets), device=logits.device).index_add(0, rows, -likelihoods * weights)


def causal_lm_nll(states: Tensor, head: torch.nn.Module, ids: Tensor, bodies: Tensor) -> Tensor:
    """Sum over rows of the mean NLL of the text's tokens, each from the state before it. `bodies` [rows, 2].

    The head runs over a bounded number of positions at a time and again in the backward pass: its logits for a whole
    batch are larger than everything else.
    """
    places = torch.arange(ids.shape[1] - 1, device=ids.device) + 1
    wanted = (places >= bodies[:, :1].clamp_min(1)) & (places < bodies[:, 1:])
    rows, columns = wanted.nonzero(as_tuple=True)
    weights = 1.0 / wanted.sum(1).clamp_min(1)[rows]
    before, tokens = states[rows, columns], ids[rows, columns + 1]

    def part(some: Tensor, its: Tensor, weight: Tensor) -> Tensor:
        return (F.cross_entropy(head(some).float(), its, reduction="none") * weight).sum()

    pieces = zip(*(tensor.split(POSITIONS_AT_ONCE) for tensor in (before, tokens, weights)), strict=True)
    return sum((checkpoint(part, *piece, use_reentrant=False) for piece in pieces), states.new_zeros(()))


def fitted_scale(losses: dict[float, float]) -> float:
    """The logit scale of lowest loss; 1 when nothing is finite."""
    finite = {scale: loss for scale, loss in losses.items() if math.isfinite(loss)}
    return min(finite, key=finite.__getitem__, default=1.0)
