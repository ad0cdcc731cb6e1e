import torch

from llara_train.porting.head_basis import balanced_basis


def test_a_balanced_basis_keeps_scores_and_sorts_them():
    torch.manual_seed(9)
    queries, keys = torch.randn(500, 8) @ torch.randn(8, 8), torch.randn(500, 8) @ torch.randn(8, 8)
    of_queries, of_keys = balanced_basis(queries, keys)
    turned_queries, turned_keys = queries @ of_queries, keys @ of_keys
    torch.testing.assert_close(turned_queries @ turned_keys.T, queries @ keys.T, rtol=1e-3, atol=1e-3)
    energy = turned_queries.pow(2).mean(0)
    in_order = torch.stack([energy[:4], energy[4:]], 1).flatten()
    assert (in_order.diff() > 0).all()
