"""Token embeddings by contrast: a text is the mean of its tokens' vectors, prompt included; InfoNCE both ways.

No transformer takes part. The vectors become the embeddings of the LLaMA that is built around them.
"""

from typing import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pair_store import PairStore, single_source_batches
from prompts import Prompts
from token_store import TokenStore

TEMPERATURE = 0.05
BATCH_PAIRS = 1_024
PEAK_RATE = 0.02


def bags(store: TokenStore, indices: np.ndarray, suffix: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Ids of the texts with their prompt, laid end to end [tokens], and where each text starts [texts]."""
    tail = np.asarray(suffix, dtype=np.int64)
    parts = [np.concatenate([store[i], tail]) for i in indices]
    starts = np.cumsum([0] + [len(part) for part in parts[:-1]])
    return torch.from_numpy(np.concatenate(parts).astype(np.int64)), torch.from_numpy(starts)


def embed_bags(weight: Tensor, ids: Tensor, starts: Tensor) -> Tensor:
    """[texts, dimensions], unit length. The mean's length does not matter, so the sum is taken."""
    return F.normalize(F.embedding_bag(ids, weight, starts, mode="sum"), dim=-1)


def contrastive_loss(queries: Tensor, positives: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """InfoNCE with in-batch negatives, queries against passages and back; both inputs [batch, dimensions]."""
    logits = queries @ positives.T / temperature
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


def train_token_embeddings(
    pairs: PairStore,
    prompts: Prompts,
    vocabulary: int,
    dimensions: int,
    seed: int,
    report: Callable[[int, float], None],
    rounds: int = 1,
) -> Tensor:
    """Vectors [vocabulary, dimensions]; `</s>` (the last id of both prompts) stays the zero vector."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(vocabulary, dimensions, generator=generator).mul_(0.1)
    weight[prompts.ebae[-1]] = 0
    weight.requires_grad_(True)
    chance = np.random.default_rng(seed)
    batches = [b for _ in range(rounds) for b in single_source_batches(pairs.sources, BATCH_PAIRS, chance)]
    optimiser = torch.optim.Adam([weight], lr=PEAK_RATE)
    for step, batch in enumerate(batches):
        optimiser.param_groups[0]["lr"] = PEAK_RATE * (1 - step / len(batches))
        queries = embed_bags(weight, *bags(pairs.queries, batch, prompts.ebar))
        positives = embed_bags(weight, *bags(pairs.positives, batch, prompts.ebae))
        loss = contrastive_loss(queries, positives)
        optimiser.zero_grad()
        loss.backward()
        weight.grad[prompts.ebae[-1]] = 0
        optimiser.step()
        report(step, loss.item())
    return weight.detach()
