import math

import numpy as np
import torch
from torch.nn import functional as F

from llara_train.objectives.bag_of_words import bag_of_words_nll
from llara_train.porting.lm_head import fit_head


def test_a_fitted_head_names_the_tokens_of_unseen_texts():
    """Texts of a topic have like vectors and the topic's tokens."""
    torch.manual_seed(1)
    chance, topics = np.random.default_rng(2), F.normalize(torch.randn(6, 16), dim=-1)
    numbers = np.arange(240) % 6
    vectors = F.normalize(topics[torch.from_numpy(numbers)] + 0.1 * torch.randn(240, 16), dim=-1)
    bags = [chance.integers(5 * number, 5 * number + 5, 4) for number in numbers]
    losses = []
    head = fit_head(vectors[:200], bags[:200], 30, steps=80, batch=32, report=lambda step, loss: losses.append(loss))
    assert head.shape == (30, 16) and len(losses) == 80 and not head.requires_grad
    unseen = bag_of_words_nll(F.linear(vectors[200:], head), bags[200:]).mean().item()
    assert unseen < (math.log(5) + math.log(30)) / 2
    assert losses[-1] < losses[0]
