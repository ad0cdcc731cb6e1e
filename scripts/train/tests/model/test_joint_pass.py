import dataclasses

import numpy as np
import pytest
import torch

from llara_train.model.encoder import last_states
from llara_train.model.joint_pass import joint_batch, joint_states
from llara_train.model.padding import padded, with_prompt
from llara_train.model.source import load_source


@pytest.fixture(params=["paper", "released"])
def source(request, checkpoint):
    """Random weights, grouped-query attention, one template or the other."""
    found = load_source(str(checkpoint), request.param)
    found.model.eval()
    return found


def rows_of(source):
    texts = ["A wing in a slipstream gains lift.", "lift", "Letters cross the sea. The sea is wide and old."]
    return [np.array(ids) for ids in source.tokenizer.encode(texts)]


def alone(source, body, prompt):
    prompts = source.prompts
    row = with_prompt(body, getattr(prompts, prompt), 512, prompts.prefix)
    return last_states(source.model, *padded([row]), prompts.pooled)[0]


@torch.no_grad()
def test_joint_pass_equals_two_separate_passes(source):
    bodies = rows_of(source)
    own, following = joint_states(source.model, joint_batch(bodies, source.prompts))
    for i, body in enumerate(bodies):
        assert (own[i] - alone(source, body, "ebae")).abs().max() <= 1e-5
        assert (following[i] - alone(source, body, "ebar")).abs().max() <= 1e-5


@torch.no_grad()
def test_without_the_block_or_the_restart_the_halves_differ(source):
    batch = joint_batch(rows_of(source)[:1], source.prompts)
    _, right = joint_states(source.model, batch)
    seeing = dataclasses.replace(batch, blocked=torch.ones_like(batch.blocked).triu(1))
    moved = dataclasses.replace(batch, positions=torch.arange(batch.ids.shape[1]).unsqueeze(0))
    assert (joint_states(source.model, seeing)[1] - right).abs().max() > 1e-4
    assert (joint_states(source.model, moved)[1] - right).abs().max() > 1e-4


def test_positions_restart_and_self_is_hidden_from_next(source):
    prompts, body = source.prompts, rows_of(source)[1]
    batch = joint_batch([body], prompts)
    n, own = len(prompts.prefix) + len(body), len(prompts.ebae)
    assert batch.positions[0, n].item() == batch.positions[0, n + own].item() == n
    assert batch.blocked[0, 0, n + own :, n : n + own].all()
    assert not batch.blocked[0, 0, -1, :n].any()
    assert batch.bodies.tolist() == [[len(prompts.prefix), n]]


@torch.no_grad()
def test_a_text_embeds_the_same_alone_and_in_a_mixed_batch(source):
    prompts = source.prompts
    rows = [with_prompt(body, prompts.ebae, 512, prompts.prefix) for body in rows_of(source)]
    together = last_states(source.model, *padded(rows), prompts.pooled)
    for i, row in enumerate(rows):
        found = last_states(source.model, *padded([row]), prompts.pooled)[0]
        assert torch.cosine_similarity(together[i], found, dim=0) >= 0.9999


@torch.no_grad()
def test_a_tied_llama_has_the_same_joint_pass(tied, prompts, bodies):
    own, following = joint_states(tied, joint_batch(bodies, prompts))
    for i, body in enumerate(bodies):
        wanted = (
            last_states(tied, *padded([with_prompt(body, suffix, 512)]))[0] for suffix in (prompts.ebae, prompts.ebar)
        )
        for found, separate in zip((own[i], following[i]), wanted, strict=True):
            assert (found - separate).abs().max() <= 1e-5
