"""A toy vocabulary, a toy tokenizer and a toy LLaMA, small enough for tests on one core."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from prompts import prompts_of  # noqa: E402
from tokenizer import EOS, train_tokenizer  # noqa: E402
from warm_start import small_llama_config, warm_started_llama  # noqa: E402

TEXTS = [
    "A wing in a slipstream gains lift. The boundary layer moves with it. Heat flows from the wall. It is cold.",
    "Stamps are collected and studied. The study of postage is old. Letters cross the sea. The sea is wide.",
    "The original sentence: the next sentence: what comes next is what the query asks for. So it goes on and on.",
]
REAL, HIDDEN = 112, 128


@pytest.fixture(scope="session")
def tokenizer():
    return train_tokenizer(iter(TEXTS * 4), vocabulary_size=340)


@pytest.fixture(scope="session")
def prompts(tokenizer):
    return prompts_of(tokenizer)


@pytest.fixture
def vectors(tokenizer):
    """[vocabulary, REAL] of unequal lengths, `</s>` zero."""
    generator = torch.Generator().manual_seed(3)
    lengths = torch.rand(tokenizer.get_vocab_size(), 1, generator=generator) + 0.5
    rows = torch.randn(tokenizer.get_vocab_size(), REAL, generator=generator) * lengths
    rows[tokenizer.token_to_id(EOS)] = 0
    return rows


@pytest.fixture
def warm(vectors):
    config = small_llama_config(len(vectors), HIDDEN, layers=2, intermediate=64, eos=2, bos=1, pad=3)
    return warm_started_llama(vectors, config, seed=5)


@pytest.fixture
def stirred(warm):
    """The same model with every weight moved, so that all layers, masks and positions matter."""
    torch.manual_seed(7)
    with torch.no_grad():
        for parameter in warm.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return warm.eval()


@pytest.fixture
def bodies(tokenizer):
    encodings = tokenizer.encode_batch([TEXTS[0], "lift", TEXTS[1][:40]], add_special_tokens=False)
    import numpy as np

    return [np.array(encoding.ids, dtype=np.int64) for encoding in encodings]
