"""A basis of an attention head in which rotary positions disturb what it learned without them as little as they can.

Queries Q and keys K of a head may be changed to Q R and K R^-T: their products stay. The R that makes both covariances
the same diagonal (as balanced truncation of linear systems does) sorts a head's numbers by what they add to the scores;
those that add least go to the pairs that rotate fastest.
"""

import torch
from torch import Tensor


def balanced_basis(queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """Bases [head, head] for queries and keys, each as columns in rotary order: pair i is (i, i + head / 2), fastest
    first.

    Args:
        queries, keys: [tokens, head], centred keys (what all keys have in common does not change a softmax).
    """
    head = queries.shape[1]
    of_queries, of_keys = (((x.T @ x) / len(x)).double() for x in (queries, keys))
    root = torch.linalg.cholesky(of_queries + 1e-6 * torch.eye(head))
    left, values, _ = torch.linalg.svd(root.T @ of_keys @ root)
    basis = torch.linalg.inv(root).T @ left @ torch.diag(values.clamp_min(1e-12).pow(0.25))
    order = torch.arange(head - 1, -1, -1).view(-1, 2).T.flatten()
    return basis[:, order].float(), torch.linalg.inv(basis).T[:, order].float()
