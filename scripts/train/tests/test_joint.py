import torch

from encoder import last_states, padded, with_prompt
from joint import joint_batch, joint_states


@torch.no_grad()
def test_joint_pass_equals_two_separate_passes(stirred, prompts, bodies):
    own, following = joint_states(stirred, joint_batch(bodies, prompts))
    for i, body in enumerate(bodies):
        alone_own = last_states(stirred, *padded([with_prompt(body, prompts.ebae, 512)]))[0]
        alone_following = last_states(stirred, *padded([with_prompt(body, prompts.ebar, 512)]))[0]
        assert (own[i] - alone_own).abs().max() <= 1e-5
        assert (following[i] - alone_following).abs().max() <= 1e-5


@torch.no_grad()
def test_without_the_block_or_the_restart_the_halves_differ(stirred, prompts, bodies):
    batch = joint_batch(bodies[:1], prompts)
    _, right = joint_states(stirred, batch)
    seeing = batch.__class__(
        batch.ids, batch.positions, torch.ones_like(batch.blocked).triu(1), batch.self_ends, batch.next_ends
    )
    running_on = torch.arange(batch.ids.shape[1]).unsqueeze(0)
    moved = batch.__class__(batch.ids, running_on, batch.blocked, batch.self_ends, batch.next_ends)
    assert (joint_states(stirred, seeing)[1] - right).abs().max() > 1e-4
    assert (joint_states(stirred, moved)[1] - right).abs().max() > 1e-4


def test_positions_restart_and_self_is_hidden_from_next(prompts, bodies):
    batch = joint_batch([bodies[1]], prompts)
    n, own = len(bodies[1]), len(prompts.ebae)
    assert batch.positions[0, n].item() == batch.positions[0, n + own].item() == n
    assert batch.blocked[0, 0, n + own :, n : n + own].all()
    assert not batch.blocked[0, 0, -1, :n].any()


@torch.no_grad()
def test_a_text_embeds_the_same_alone_and_in_a_mixed_batch(stirred, prompts, bodies):
    rows = [with_prompt(body, prompts.ebae, 512) for body in bodies]
    together = last_states(stirred, *padded(rows))
    for i, row in enumerate(rows):
        assert torch.cosine_similarity(together[i], last_states(stirred, *padded([row]))[0], dim=0) >= 0.9999
