import math

import pytest
import torch

from llara_train.objectives.info_nce import Guide, Objective, contrastive_loss, teacher_gap

NOTHING_HIDDEN = torch.zeros(2, 3, dtype=torch.bool)


def test_info_nce_by_hand():
    queries = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    passages = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    labels = torch.tensor([0, 1])

    def nll(scores, at):
        return -math.log(math.exp(scores[at]) / sum(map(math.exp, scores)))

    loss, _parts = contrastive_loss(queries, passages, labels, NOTHING_HIDDEN, None, Objective(temperature=0.5))
    assert loss.item() == pytest.approx((nll([2, 1.2, 0], 0) + nll([0, 1.6, 2], 1)) / 2, abs=1e-5)
    hidden = NOTHING_HIDDEN.clone()
    hidden[1, 2] = True
    loss, _ = contrastive_loss(queries, passages, labels, hidden, None, Objective(temperature=0.5))
    assert loss.item() == pytest.approx((nll([2, 1.2, 0], 0) + nll([0, 1.6], 1)) / 2, abs=1e-5)
    both, _ = contrastive_loss(queries, passages, labels, hidden, None, Objective(temperature=0.5, both_ways=True))
    back = (nll([2, 0], 0) + nll([1.2, 1.6], 1)) / 2
    assert both.item() == pytest.approx((loss.item() + back) / 2, abs=1e-5)


@pytest.mark.parametrize("kind", ["kl", "margin"])
def test_the_gap_is_zero_at_the_teacher_and_only_there(kind):
    objective = Objective(teacher=1, teacher_loss=kind, teacher_temperature=0.5)
    scores = torch.tensor([[0.9, 0.1, 0.4], [0.2, 0.7, 0.3]])
    labels, missing = torch.tensor([0, 1]), NOTHING_HIDDEN.clone()
    missing[0, 2] = True
    same = scores / 0.5 + torch.tensor([[3.0], [-1.0]])  # a constant a query changes neither
    elsewhere = same.clone()
    elsewhere[0, 2] += 5
    assert teacher_gap(same, labels, Guide(scores, missing), objective).item() == pytest.approx(0, abs=1e-6)
    assert teacher_gap(elsewhere, labels, Guide(scores, missing), objective).item() == pytest.approx(0, abs=1e-6)
    assert teacher_gap(same.flip(1), labels, Guide(scores, missing), objective).item() > 0.03
