import numpy as np
import torch
from torch.nn import functional as F

from encoder import Encoder, with_prompt
from tests.conftest import HIDDEN, REAL
from token_embeddings import bags, embed_bags
from token_store import tokenise
from warm_start import with_filler

TEXTS = ["a wing in a slipstream", "the sea is wide. letters cross the sea.", "stamps"]


def test_embedding_is_the_mean_of_the_token_vectors(warm, tokenizer, prompts, vectors):
    encoder = Encoder(warm, tokenizer)
    store = tokenise(tokenizer, TEXTS)
    for prompt in ("ebae", "ebar"):
        found = encoder.embedder(512)(TEXTS, prompt)
        rows = [with_prompt(store[i], getattr(prompts, prompt), 512) for i in range(len(TEXTS))]
        means = torch.stack([vectors[torch.from_numpy(row)].mean(0) for row in rows])
        assert np.abs(found[:, :REAL] - F.normalize(means, dim=-1).numpy()).max() < 1e-5
        assert np.abs(found[:, REAL:]).max() == 0


def test_filler_brings_all_embeddings_to_one_length(vectors):
    rows = with_filler(vectors, HIDDEN)
    assert torch.allclose(rows.norm(dim=1), torch.full((len(rows),), HIDDEN**0.5), atol=1e-3)
    real = rows[:, :REAL].norm(dim=1) / vectors.norm(dim=1).clamp_min(1e-9)
    kept = real[vectors.norm(dim=1) > 0]
    assert kept.max() / kept.min() < 1.0001


def test_every_layer_gets_a_gradient_in_the_first_steps(warm, tokenizer):
    """A no-op start must not be a dead start: output projections learn first, then all that feeds them."""
    ids = torch.tensor([tokenizer.encode(TEXTS[1]).ids + [2]])
    for _ in range(2):
        warm.zero_grad()
        warm.model(input_ids=ids).last_hidden_state[0, -1, :8].sum().backward()
        for layer in warm.model.layers:
            assert layer.self_attn.o_proj.weight.grad.abs().max() > 0
            assert layer.mlp.down_proj.weight.grad.abs().max() > 0
        with torch.no_grad():
            for parameter in warm.parameters():
                if parameter.grad is not None:
                    parameter.sub_(parameter.grad, alpha=0.1)
    assert warm.model.layers[0].self_attn.v_proj.weight.grad.abs().max() > 0


def test_token_vectors_of_a_bag_add_up(prompts, tokenizer, vectors):
    store = tokenise(tokenizer, TEXTS)
    found = embed_bags(vectors, *bags(store, np.arange(3), prompts.ebar))
    row = with_prompt(store[2], prompts.ebar, 512)
    assert torch.allclose(found[2], F.normalize(vectors[torch.from_numpy(row)].sum(0), dim=0), atol=1e-6)
