"""Fits one layer's write to the residual stream so that the stream comes as near as it can to a wanted one."""

from typing import NamedTuple

import torch
from torch import Tensor

RIDGE = 1e-3


class Write(NamedTuple):
    """A fitted linear map from features to the stream, and what it misses."""

    weight: Tensor
    """[hidden, features]"""
    bias: Tensor
    """[hidden]"""
    residual: float
    """Share of the wanted stream's variance that is left over."""


def fit_write(features: Tensor, stream: Tensor, wanted: Tensor) -> Write:
    """Weight and bias so that `stream + features @ weight.T + bias` is `wanted` up to one positive factor.

    The factor is free because the norm that reads the stream next takes it out again.

    Args:
        features: [tokens, features]
        stream, wanted: [tokens, hidden]
    """
    hidden = wanted.shape[1]
    columns = torch.cat([features, torch.ones(len(features), 1)], 1).double()
    gram = columns.T @ columns
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram))
    both = torch.cat([wanted, stream], 1).double()
    solved = torch.cholesky_solve(columns.T @ both, torch.linalg.cholesky(gram))
    wanted_rest, stream_rest = (both - columns @ solved).split(hidden, 1)
    factor = (wanted_rest * stream_rest).sum() / (stream_rest * stream_rest).sum()
    write = (solved[:, :hidden] - factor * solved[:, hidden:]) / factor
    reached = factor.float() * (stream + (columns @ write).float())
    left = (wanted - reached).pow(2).sum() / (wanted - wanted.mean(0)).pow(2).sum()
    return Write(write[:-1].T.float().contiguous(), write[-1].float(), left.item())


def fit_scale(normed: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Per dimension the weight and bias [hidden] with which `normed` [tokens, hidden] is nearest to `wanted`."""
    centred = normed - normed.mean(0)
    weight = (centred * (wanted - wanted.mean(0))).mean(0) / (centred.pow(2).mean(0) + 1e-8)
    return weight, wanted.mean(0) - weight * normed.mean(0)
