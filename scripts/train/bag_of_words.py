"""The adaptation loss (paper, Eq. 6): one embedding must make every token of a target set likely.

The embedding goes through the LM head W [vocabulary, hidden] and a softmax over the vocabulary; the loss is the
mean negative log-likelihood of the set's unique tokens. No order, no decoder.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def target_set(ids: np.ndarray, left_out: frozenset[int]) -> np.ndarray:
    """Unique token ids of the text as the model saw it (already cut), without specials and the like."""
    return np.array([token for token in np.unique(ids) if int(token) not in left_out], dtype=np.int64)


def bag_of_words_loss(states: Tensor, head: Tensor, targets: list[np.ndarray]) -> Tensor:
    """Mean over rows of the mean NLL of each row's targets; rows without targets count nothing.

    `states` [rows, hidden] after the final norm, `head` [vocabulary, hidden].
    """
    likelihoods = F.log_softmax(states @ head.T, dim=-1)
    counts = torch.tensor([len(row) for row in targets])
    rows = torch.repeat_interleave(torch.arange(len(targets)), counts)
    tokens = torch.from_numpy(np.concatenate(targets))
    weights = 1.0 / counts.clamp_min(1)[rows].float()
    filled = max(int((counts > 0).sum()), 1)
    return -(likelihoods[rows, tokens] * weights).sum() / filled
