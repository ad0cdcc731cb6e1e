import pytest
import torch

from llara_train.training.from_lessons import Options, lesson_loss, plan


def test_lesson_loss_by_hand():
    vectors, bank = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    distance, ranking = lesson_loss(vectors, torch.tensor([[0.0, 1.0]]), bank, Options(temperature=1.0))
    high, low = torch.tensor([1.0, 0.0]).softmax(0)
    assert distance.item() == pytest.approx(1)
    assert ranking.item() == pytest.approx((high * (high / low).log() + low * (low / high).log()).item())


def test_a_plan_gives_every_process_its_own_texts_once():
    steps = plan([5 + i % 40 for i in range(2_048)], 2, 16, 3)
    seen = [i for step in steps for batch in step for i in batch]
    assert all(len(step) == 4 for step in steps)
    assert len(seen) == len(set(seen)) > 1_900
