"""Texts to embeddings with a LLaMA: ids, right-padded batches sorted by length, the mean of a prompt's special states."""

from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedModel

from evaluate import Embed
from joint import last_positions
from model_source import causal_lm, load_source
from prompts import Prompts, prompts_of
from text_tokenizer import TextTokenizer

MICRO_BATCH_TOKENS = 6_144


def padded(rows: list[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Ids [rows, longest] filled up on the right with 0, and the index of each row's last id [rows]."""
    lengths = torch.tensor([len(row) for row in rows])
    ids = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.from_numpy(row.astype(np.int64))
    return ids, lengths - 1


def last_states(model: PreTrainedModel, ids: Tensor, ends: Tensor, pooled: int = 1) -> Tensor:
    """[rows, hidden]: mean of the last `pooled` states, after the final norm, up to and with each row's end.

    No mask is needed: under causal attention no real token sees the padding to its right.
    """
    states = causal_lm(model).model(input_ids=ids, use_cache=False).last_hidden_state
    rows = torch.arange(len(ids), device=ids.device).unsqueeze(1)
    return states[rows, last_positions(ends.to(ids.device), pooled)].mean(dim=1)


def with_prompt(
    body: np.ndarray, suffix: tuple[int, ...], max_tokens: int, prefix: tuple[int, ...] = ()
) -> np.ndarray:
    """The body alone is cut, to `max_tokens` with the prompt; the prompt always stands whole around it."""
    room = max(0, max_tokens - len(suffix) - len(prefix))
    return np.concatenate([np.asarray(prefix, np.int64), body[:room].astype(np.int64), np.asarray(suffix, np.int64)])


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
    """`tokenizer`: our own (the paper's template, no BOS), or a checkpoint's TextTokenizer with its `prompts`."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: Tokenizer | TextTokenizer, prompts: Prompts | None = None
    ):
        self.model = model
        self.tokenizer = tokenizer if isinstance(tokenizer, TextTokenizer) else TextTokenizer(tokenizer, {})
        self.prompts: Prompts = prompts or prompts_of(self.tokenizer.whole)

    @torch.no_grad()
    def encode_rows(self, rows: list[np.ndarray]) -> np.ndarray:
        """Rows of ids, prompt included -> unit rows [rows, hidden], in the order given."""
        was_training = self.model.training
        self.model.eval()
        device = next(self.model.parameters()).device
        vectors = np.empty((len(rows), self.model.config.hidden_size), dtype=np.float32)
        for batch in micro_batches(np.array([len(row) for row in rows])):
            ids, ends = padded([rows[i] for i in batch])
            states = last_states(self.model, ids.to(device), ends, self.prompts.pooled)
            vectors[batch] = F.normalize(states.float(), dim=-1).cpu().numpy()
        self.model.train(was_training)
        return vectors

    def embedder(self, max_tokens: int) -> Embed:
        def embed(texts: list[str], prompt: str) -> np.ndarray:
            suffix, prefix = getattr(self.prompts, prompt), self.prompts.prefix
            bodies = (np.array(ids, np.int64) for ids in self.tokenizer.encode(texts, max_tokens))
            return self.encode_rows([with_prompt(body, suffix, max_tokens, prefix) for body in bodies])

        return embed


def load_encoder(
    checkpoint: Path | str,
    template: str | None = None,
    dtype: torch.dtype = torch.float32,
    device: str | None = None,
) -> Encoder:
    """A checkpoint folder, a peft adapter's folder or a Hugging Face id; on the GPU if there is one.

    `template` default: what the checkpoint's training.json says, else the paper's.
    """
    source = load_source(str(checkpoint), template, dtype)
    model = source.model
    model.to(device or ("cuda" if torch.cuda.is_available() else "cpu")).eval()
    return Encoder(model, source.tokenizer, source.prompts)
