"""An LM head for a model that never had one: fitted on vectors so that each names the tokens of its text.

A ported BERT has token embeddings that say nothing about its last states; adapting through them as a tied head would
pull the model apart. The head is trained with everything else, but from a start that already reads what is there.
"""

from typing import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from bag_of_words import bag_of_words_nll


def fit_head(
    vectors: Tensor,
    bags: list[np.ndarray],
    size: int,
    steps: int = 250,
    batch: int = 128,
    rate: float = 0.1,
    seed: int = 0,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> Tensor:
    """[size, hidden], float32: minimises the mean negative log-likelihood of each bag (paper, equation 6).

    Args:
        vectors: unit rows [texts, hidden].
        bags: target ids of each text.
        size: of the vocabulary.
        report: called with the step and its loss.
    """
    head = torch.zeros(size, vectors.shape[1], requires_grad=True)
    optimiser = torch.optim.Adam([head], lr=rate)
    chance = np.random.default_rng(seed)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * (1 - step / steps)
        chosen = chance.integers(0, len(bags), batch)
        loss = bag_of_words_nll(F.linear(vectors[torch.from_numpy(chosen)], head), [bags[i] for i in chosen]).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        report(step + 1, loss.item())
    return head.detach()
