import copy
import time

import numpy as np
import pytest
import torch

from alignment import nearest_rotation
from finetune import Objective, finetune_loss, finetune_step
from gradient_cache import batched_backward, unit_states
from loop import Rates, run_steps
from mine import hard_batches, hard_neighbours
from tests.conftest import TEXTS
from token_store import tokenise

RATES = Rates(layers=1e-3, warm_up_steps=2)


@pytest.fixture
def stores(tokenizer):
    queries = [text.split(". ")[0] for text in TEXTS] + ["letters", "heat", "lift"]
    passages = TEXTS + ["letters cross the sea", "heat flows from the wall", "a wing gains lift"]
    return tokenise(tokenizer, queries), tokenise(tokenizer, passages)


def step_of(model, prompts, stores):
    return finetune_step(model, prompts, *stores, None, Objective(), 64)


def test_a_resumed_run_ends_where_an_uninterrupted_one_ends(warm, prompts, stores, tmp_path):
    batches = [np.random.default_rng(i).permutation(6)[:4] for i in range(5)]
    straight, broken = warm, copy.deepcopy(warm)
    run_steps(straight, batches, step_of(straight, prompts, stores), RATES, tmp_path / "straight.pt")

    done = iter(range(100))
    real_step = step_of(broken, prompts, stores)

    def fails_at_the_fourth(batch):
        if next(done) == 3:
            raise KeyboardInterrupt
        return real_step(batch)

    with pytest.raises(KeyboardInterrupt):
        run_steps(broken, batches, fails_at_the_fourth, RATES, tmp_path / "broken.pt", save_every=2)
    resumed = copy.deepcopy(warm)
    steps = run_steps(resumed, batches, step_of(resumed, prompts, stores), RATES, tmp_path / "broken.pt")
    assert steps == 5
    for a, b in zip(straight.parameters(), resumed.parameters()):
        assert torch.equal(a, b)


def test_a_run_out_of_time_saves_and_stops(warm, prompts, stores, tmp_path):
    before = copy.deepcopy(warm.state_dict())
    batches = [np.arange(4)] * 3
    assert run_steps(warm, batches, step_of(warm, prompts, stores), RATES, tmp_path / "s.pt", stop_at=time.time()) == 0
    assert (tmp_path / "s.pt").exists()
    assert all(torch.equal(before[name], value) for name, value in warm.state_dict().items())


@pytest.mark.parametrize("graph_tokens", [0, 10_000])
def test_micro_batches_equal_one_big_batch(stirred, bodies, monkeypatch, graph_tokens):
    def loss_of(vectors):
        return (vectors @ vectors.T / 0.1).logsumexp(-1).sum()

    loss_of(unit_states(stirred, bodies)).backward()
    whole = [parameter.grad.clone() for parameter in stirred.parameters()]
    stirred.zero_grad()
    monkeypatch.setattr("gradient_cache.STEP_TOKENS", 1)
    monkeypatch.setattr("gradient_cache.GRAPH_TOKENS", graph_tokens)
    batched_backward(stirred, bodies, loss_of)
    for parameter, wanted in zip(stirred.parameters(), whole):
        assert torch.allclose(parameter.grad, wanted, atol=1e-4 * max(1.0, wanted.abs().max().item()))


def test_the_loss_is_lowest_where_the_teacher_is():
    generator = torch.Generator().manual_seed(1)
    target = torch.nn.functional.normalize(torch.randn(2, 5, 8, generator=generator), dim=-1)
    other = torch.nn.functional.normalize(torch.randn(2, 5, 8, generator=generator), dim=-1)
    only_teacher = Objective(contrast=0)
    guide = (target[0], target[1])
    assert finetune_loss(*target, guide, only_teacher) < finetune_loss(*other, guide, only_teacher)


def test_a_rotation_is_found_again():
    generator = torch.Generator().manual_seed(2)
    rows = torch.randn(40, 6, generator=generator)
    rotation, _ = torch.linalg.qr(torch.randn(6, 6, generator=generator))
    assert torch.allclose(nearest_rotation(rows, rows @ rotation), rotation, atol=1e-5)


def test_hard_neighbours_skip_the_positive_and_what_is_as_near():
    queries = np.eye(4, dtype=np.float32)[:1]
    queries = np.repeat(queries, 4, axis=0)
    passages = np.array([[0.8, 0, 0, 0], [0.79, 0, 0, 0], [0.6, 0, 0, 0], [0.1, 0, 0, 0]], dtype=np.float32)
    assert hard_neighbours(queries, passages, 2)[0].tolist() == [2, 3]


def test_hard_batches_use_no_pair_twice_and_keep_neighbours_together():
    neighbours = np.array([[1], [0], [3], [2], [5], [4], [7], [6]])
    batches = hard_batches(neighbours, 4, np.random.default_rng(0))
    flat = np.concatenate(batches)
    assert sorted(flat.tolist()) == list(range(8))
    assert all((pair ^ 1) in batch for batch in batches for pair in batch)
