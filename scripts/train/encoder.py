"""Texts to embeddings with a LLaMA: ids, right-padded batches sorted by length, the final state at `</s>`."""

from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F
from transformers import LlamaForCausalLM

from evaluate import Embed
from prompts import Prompts, prompts_of
from token_store import TokenStore, tokenise

MICRO_BATCH_TOKENS = 6_144


def padded(rows: list[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Ids [rows, longest] filled up on the right with 0, and the index of each row's last id [rows]."""
    lengths = torch.tensor([len(row) for row in rows])
    ids = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.from_numpy(row.astype(np.int64))
    return ids, lengths - 1


def last_states(model: LlamaForCausalLM, ids: Tensor, ends: Tensor) -> Tensor:
    """[rows, hidden]: the state after the final norm at each row's end.

    No mask is needed: under causal attention no real token sees the padding to its right.
    """
    states = model.model(input_ids=ids, use_cache=False).last_hidden_state
    return states[torch.arange(len(ids)), ends]


def with_prompt(body: np.ndarray, suffix: tuple[int, ...], max_tokens: int) -> np.ndarray:
    """The body alone is cut; the prompt always stands whole behind it."""
    return np.concatenate([body[: max_tokens - len(suffix)].astype(np.int64), np.asarray(suffix, dtype=np.int64)])


def micro_batches(lengths: np.ndarray, max_tokens: int = MICRO_BATCH_TOKENS) -> list[np.ndarray]:
    """Indices sorted by length and cut so that a padded batch holds about `max_tokens` ids."""
    batches, batch = [], []
    for index in np.argsort(lengths, kind="stable"):
        if batch and (len(batch) + 1) * lengths[index] > max_tokens:
            batches.append(np.array(batch))
            batch = []
        batch.append(index)
    return batches + [np.array(batch)] if batch else batches


class Encoder:
    def __init__(self, model: LlamaForCausalLM, tokenizer: Tokenizer):
        self.model, self.tokenizer = model, tokenizer
        self.prompts: Prompts = prompts_of(tokenizer)

    @torch.inference_mode()
    def encode_rows(self, rows: list[np.ndarray]) -> np.ndarray:
        """Rows of ids, prompt included -> unit rows [rows, hidden], in the order given."""
        was_training = self.model.training
        self.model.eval()
        vectors = np.empty((len(rows), self.model.config.hidden_size), dtype=np.float32)
        for batch in micro_batches(np.array([len(row) for row in rows])):
            states = last_states(self.model, *padded([rows[i] for i in batch]))
            vectors[batch] = F.normalize(states, dim=-1).numpy()
        self.model.train(was_training)
        return vectors

    def encode_store(self, store: TokenStore, indices: np.ndarray, prompt: str, max_tokens: int) -> np.ndarray:
        suffix = getattr(self.prompts, prompt)
        return self.encode_rows([with_prompt(store[i], suffix, max_tokens) for i in indices])

    def embedder(self, max_tokens: int) -> Embed:
        def embed(texts: list[str], prompt: str) -> np.ndarray:
            store = tokenise(self.tokenizer, texts)
            return self.encode_store(store, np.arange(len(store)), prompt, max_tokens)

        return embed


def load_encoder(checkpoint: Path) -> Encoder:
    model = LlamaForCausalLM.from_pretrained(checkpoint, dtype=torch.float32)
    return Encoder(model, Tokenizer.from_file(str(checkpoint / "tokenizer.json")))
