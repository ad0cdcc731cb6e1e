"""Texts to embeddings with a LLaMA: ids, padded batches, the mean of the states at a prompt's special tokens."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedModel

from llara_train.model.joint_pass import last_positions
from llara_train.model.padding import micro_batches, padded, with_prompt
from llara_train.model.prompts import Prompts, prompts_of
from llara_train.model.source import causal_lm, load_source
from llara_train.model.tokenizer import TextTokenizer

Embed = Callable[[list[str], str], np.ndarray]
"""(texts, "ebar" or "ebae") -> unit rows [texts, dimensions]."""


def last_states(model: PreTrainedModel, ids: Tensor, ends: Tensor, pooled: int = 1) -> Tensor:
    """[rows, hidden]: mean of the last `pooled` states, after the final norm, up to and with each row's end.

    No mask is needed: under causal attention no real token sees the padding to its right.
    """
    states = causal_lm(model).model(input_ids=ids, use_cache=False).last_hidden_state
    rows = torch.arange(len(ids), device=ids.device).unsqueeze(1)
    return states[rows, last_positions(ends.to(ids.device), pooled)].mean(dim=1)


class Encoder:
    """`tokenizer`: our own (the paper's template, no BOS), or a checkpoint's TextTokenizer with its `prompts`."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: Tokenizer | TextTokenizer, prompts: Prompts | None = None
    ) -> None:
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
        """A function of texts and the prompt to read them with; a text is cut at `max_tokens`, prompt included."""

        def embed(texts: list[str], prompt: str) -> np.ndarray:
            suffix, prefix = self.prompts.suffix(prompt), self.prompts.prefix
            bodies = (np.array(ids, np.int64) for ids in self.tokenizer.encode(texts, max_tokens))
            return self.encode_rows([with_prompt(body, suffix, max_tokens, prefix) for body in bodies])

        return embed


def load_encoder(
    checkpoint: Path | str,
    template: str | None = None,
    dtype: torch.dtype = torch.float32,
    device: str | None = None,
) -> Encoder:
    """The encoder of a checkpoint folder, a peft adapter's folder or a Hugging Face id; on the GPU if there is one.

    Args:
        template: its name; None: the one in the checkpoint's training.json, else the paper's.
        dtype: of the weights.
        device: where it computes; None: the GPU if there is one.

    Raises ValueError as `load_source` does.
    """
    source = load_source(str(checkpoint), template, dtype)
    model = source.model
    model.to(device or ("cuda" if torch.cuda.is_available() else "cpu")).eval()
    return Encoder(model, source.tokenizer, source.prompts)
