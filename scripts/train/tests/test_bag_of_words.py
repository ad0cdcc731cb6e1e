import math
import random

import numpy as np
import pytest
import torch

from adapt import BODY_TOKENS, left_out_of_targets, passage_of
from bag_of_words import bag_of_words_loss, target_set
from tests.conftest import TEXTS


def test_loss_equals_a_computation_by_hand():
    head = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    states = torch.tensor([[1.0, 2.0], [0.0, 0.0], [3.0, 3.0]])
    targets = [np.array([0, 2]), np.array([1]), np.array([], dtype=np.int64)]
    total = math.exp(1) + math.exp(2) + math.exp(3)
    first = -(math.log(math.exp(1) / total) + math.log(math.exp(3) / total)) / 2
    second = math.log(3)
    assert bag_of_words_loss(states, head, targets).item() == pytest.approx((first + second) / 2, abs=1e-5)


def test_targets_are_a_set_without_what_is_left_out():
    assert target_set(np.array([7, 5, 7, 2, 9]), frozenset({2, 9})).tolist() == [5, 7]


def test_targets_never_contain_words_cut_from_the_input(tokenizer):
    long = "lift. " + "wing slipstream boundary " * 60 + "postage. It is cold. It is wide. So it goes. On and on."
    passage = None
    for seed in range(40):
        passage = passage_of(long, tokenizer, random.Random(seed))
        if passage is not None and len(passage.body) == BODY_TOKENS:
            break
    assert passage is not None and len(passage.body) == BODY_TOKENS
    cut = set(tokenizer.encode(" postage", add_special_tokens=False).ids) - set(passage.body.tolist())
    assert cut
    targets = target_set(passage.body, left_out_of_targets([passage], tokenizer, frequent=0))
    assert set(targets.tolist()) <= set(passage.body.tolist())
    assert not cut & set(targets.tolist())


def test_what_follows_comes_from_the_sentences_after_the_body(tokenizer):
    passage = passage_of(TEXTS[1], tokenizer, random.Random(1))
    whole = tokenizer.decode(passage.body.tolist()) + tokenizer.decode(passage.following.tolist())
    assert whole.strip() in TEXTS[1].lower()
