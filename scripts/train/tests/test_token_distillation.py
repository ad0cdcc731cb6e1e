import torch
from torch.nn import functional as F

from alignment import nearest_rotation
from token_distillation import Objective, taught_loss


def test_the_loss_is_lowest_where_the_teacher_is():
    generator = torch.Generator().manual_seed(1)
    target = F.normalize(torch.randn(2, 5, 8, generator=generator), dim=-1)
    other = F.normalize(torch.randn(2, 5, 8, generator=generator), dim=-1)
    guide, only_teacher = (target[0], target[1]), Objective(contrast=0)
    assert taught_loss(*target, guide, only_teacher) < taught_loss(*other, guide, only_teacher)


def test_a_rotation_is_found_again():
    generator = torch.Generator().manual_seed(2)
    rows = torch.randn(40, 6, generator=generator)
    rotation, _ = torch.linalg.qr(torch.randn(6, 6, generator=generator))
    assert torch.allclose(nearest_rotation(rows, rows @ rotation), rotation, atol=1e-5)
