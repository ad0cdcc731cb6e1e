import math

import numpy as np
import pytest
import torch
from torch import nn

from llara_train.objectives.bag_of_words import bag_of_words_nll, causal_lm_nll, embedding_logits, target_set

HEAD = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


@pytest.fixture
def head():
    linear = nn.Linear(2, 3, bias=False)
    linear.weight.data = HEAD
    return linear


def test_the_papers_loss_by_hand(head):
    states = torch.tensor([[[1.0, 2.0]], [[0.0, 0.0]], [[3.0, 3.0]]])
    targets = [np.array([0, 2, 2]), np.array([1]), np.array([], dtype=np.int64)]
    total = math.exp(1) + math.exp(2) + math.exp(3)
    likelihood = [math.log(math.exp(logit) / total) for logit in (1, 2, 3)]
    wanted = [-(likelihood[0] + 2 * likelihood[2]) / 3, math.log(3), 0]
    found = bag_of_words_nll(embedding_logits(states, head, "mean-state"), targets)
    assert found.tolist() == pytest.approx(wanted, abs=1e-5)


def test_several_positions_are_averaged_before_the_head_or_maximised_behind_it(head):
    states = torch.tensor([[[1.0, 0.0], [0.0, 3.0]]])
    assert embedding_logits(states, head, "mean-state").tolist() == [[0.5, 1.5, 2.0]]
    assert embedding_logits(states, head, "max-logit").tolist() == [[1.0, 3.0, 3.0]]
    total = math.exp(1) + 2 * math.exp(3)
    wanted = -(math.log(math.exp(1) / total) + math.log(math.exp(3) / total)) / 2
    found = bag_of_words_nll(embedding_logits(states, head, "max-logit"), [np.array([0, 1])])
    assert found.item() == pytest.approx(wanted, abs=1e-5)


def test_the_causal_loss_reads_each_token_from_the_state_before_it(head):
    states = torch.tensor([[[1.0, 2.0], [0.0, 1.0], [5.0, 5.0]]])
    ids = torch.tensor([[0, 2, 1]])

    def nll(logits, token):
        return -math.log(math.exp(logits[token]) / sum(map(math.exp, logits)))

    both = (nll([1, 2, 3], 2) + nll([0, 1, 1], 1)) / 2
    assert causal_lm_nll(states, head, ids, torch.tensor([[0, 3]])).item() == pytest.approx(both, abs=1e-5)
    assert causal_lm_nll(states, head, ids, torch.tensor([[2, 3]])).item() == pytest.approx(nll([0, 1, 1], 1), abs=1e-5)


def test_targets_without_what_is_left_out():
    ids, left_out = np.array([7, 5, 7, 2, 9]), frozenset({2, 9})
    assert target_set(ids, left_out, unique=True).tolist() == [5, 7]
    assert target_set(ids, left_out, unique=False).tolist() == [7, 5, 7]
