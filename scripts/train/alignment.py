"""Brings the teacher's vectors into the student's space: the teacher's principal subspace, turned towards the student.

Similarities between the teacher's own vectors stay what they were, up to the little that lies outside the subspace.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class TeacherVectors:
    """Unit rows in the student's first d dimensions: `queries` [pairs, d] and `passages` [first pairs, d], parallel
    to the sampled pairs. There may be fewer passages than queries, since passages take the teacher's time."""

    queries: Tensor
    passages: Tensor


def principal_axes(vectors: np.ndarray, dimensions: int) -> np.ndarray:
    """Orthonormal columns [teacher dimensions, dimensions], the largest second moment first."""
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    return axes[:, ::-1][:, :dimensions].copy()


def nearest_rotation(moving: Tensor, fixed: Tensor) -> Tensor:
    """The orthogonal matrix R [d, d] for which `moving @ R` comes closest to `fixed`; rows correspond (Procrustes)."""
    left, _, right = torch.linalg.svd(moving.T @ fixed)
    return left @ right


def aligned(queries: np.ndarray, passages: np.ndarray, student_queries: Tensor, student_passages: Tensor) -> TeacherVectors:
    """Teacher rows [pairs, teacher dimensions] -> unit rows in the space of the student's unit rows [pairs, d]."""
    count = len(passages)
    axes = principal_axes(
        np.concatenate([queries[:count], passages]).astype(np.float32), student_passages.shape[1]
    )

    def projected(rows: np.ndarray) -> Tensor:
        return F.normalize(torch.from_numpy(rows.astype(np.float32) @ axes), dim=-1)

    own_queries, own_passages = projected(queries), projected(passages)
    rotation = nearest_rotation(
        torch.cat([own_queries[:count], own_passages]), torch.cat([student_queries[:count], student_passages])
    )
    return TeacherVectors(own_queries @ rotation, own_passages @ rotation)
