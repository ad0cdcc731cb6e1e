import torch

from llara_train.mining.exact_search import ExactSearch


def test_exact_search_in_blocks_equals_one_sort():
    generator = torch.Generator().manual_seed(1)
    queries, passages = (torch.randn(count, 8, generator=generator) for count in (5, 60))
    passages[40] = passages[3]
    search = ExactSearch(queries, 7)
    for block in passages.split(9):
        search.add(block)
    whole = (queries @ passages.T).sort(dim=1, descending=True, stable=True)
    assert search.found().numbers.equal(whole.indices[:, :7])
    assert torch.allclose(search.found().scores, whole.values[:, :7])
