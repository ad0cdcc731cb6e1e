"""The fine-tuning loss: InfoNCE over every passage of the step, and how far the scores are from a teacher's."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

TEACHER_LOSSES = ("kl", "margin")


@dataclass(frozen=True)
class Objective:
    """Weights of the two parts, and temperatures. `both_ways`: passages look for their query as well.

    `teacher_loss` kl: cross-entropy to the teacher's distribution over a query's candidates, less its entropy. margin:
    mean squared difference of the two margins (positive less other), of scores over their temperatures.
    """

    contrast: float = 1.0
    teacher: float = 0.0
    temperature: float = 0.01
    teacher_temperature: float = 0.05
    teacher_loss: str = "kl"
    both_ways: bool = False

    def __post_init__(self) -> None:
        if self.teacher_loss not in TEACHER_LOSSES:
            raise ValueError(
                f"the teacher's loss must be one of {', '.join(TEACHER_LOSSES)}, not {self.teacher_loss!r}"
            )
        if min(self.temperature, self.teacher_temperature) <= 0:
            raise ValueError("temperatures must be above 0")


@dataclass(frozen=True)
class Guide:
    """A teacher's `scores` [queries, passages], and where it gave none (`missing`, bool)."""

    scores: Tensor
    missing: Tensor


def info_nce(logits: Tensor, labels: Tensor, hidden: Tensor, both_ways: bool) -> Tensor:
    """Mean loss over queries, a scalar.

    Args:
        logits: [queries, passages].
        labels: [queries], the column of each query's positive.
        hidden: bool [queries, passages], passages that do not count for a query.
        both_ways: also the loss of finding each positive's query.
    """
    logits = logits.masked_fill(hidden, -torch.inf)
    forth = F.cross_entropy(logits, labels)
    if not both_ways:
        return forth
    back = logits[:, labels].T
    return (forth + F.cross_entropy(back, torch.arange(len(back), device=back.device))) / 2


def teacher_gap(logits: Tensor, labels: Tensor, guide: Guide, objective: Objective) -> Tensor:
    """Distance of the student's scores to the teacher's, a scalar; 0 where they agree.

    Passages hidden from InfoNCE take part: the teacher knows what they are worth. `logits` [queries, passages],
    `labels` [queries] as in `info_nce`.
    """
    wanted = guide.scores / objective.teacher_temperature
    if objective.teacher_loss == "margin":
        rows = torch.arange(len(labels), device=labels.device)
        student, teacher = (scores[rows, labels].unsqueeze(1) - scores for scores in (logits, wanted))
        counted = ~guide.missing
        counted[rows, labels] = False
        return (student - teacher).square()[counted].mean() if counted.any() else logits.new_zeros(())
    lowest = torch.finfo(logits.dtype).min
    target = F.softmax(wanted.masked_fill(guide.missing, lowest), dim=-1)
    found = F.log_softmax(logits.masked_fill(guide.missing, lowest), dim=-1)
    return F.kl_div(found, target, reduction="batchmean")


def contrastive_loss(
    queries: Tensor, passages: Tensor, labels: Tensor, hidden: Tensor, guide: Guide | None, objective: Objective
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of a step: InfoNCE, and with a guide the distance to the teacher.

    `queries` [q, d] and `passages` [p, d] are unit rows. Returns the weighted loss and its parts, unweighted.
    """
    logits = queries @ passages.T / objective.temperature
    parts = {"contrast": info_nce(logits, labels, hidden, objective.both_ways)}
    loss = objective.contrast * parts["contrast"]
    if guide is not None:
        parts["teacher"] = teacher_gap(logits, labels, guide, objective)
        loss = loss + objective.teacher * parts["teacher"]
    return loss, {name: part.detach() for name, part in parts.items()}
