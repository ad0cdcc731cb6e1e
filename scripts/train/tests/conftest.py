"""A toy vocabulary, toy tokenizers, toy LLaMAs and toy data, small enough for tests on one core."""

import json

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from transformers import LlamaConfig, LlamaForCausalLM

from llara_train.model.checkpoint_folder import save_tokenizer
from llara_train.model.prompts import prompts_of
from tests.toys.texts import TEXTS, topic_documents
from tests.toys.tokenizer import trained_tokenizer

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def fresh_devices():
    """accelerate keeps its settings for the life of a process; here every run chooses its own."""
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture(scope="session")
def tokenizer():
    return trained_tokenizer(TEXTS * 4 + topic_documents(96, 12), 560)


@pytest.fixture(scope="session")
def prompts(tokenizer):
    return prompts_of(tokenizer)


@pytest.fixture
def tied(tokenizer):
    """A random LLaMA with a tied head, every weight moved, so that all layers, masks and positions matter."""
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=128,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=1_024,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=3,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return model.eval()


@pytest.fixture
def bodies(tokenizer):
    encodings = tokenizer.encode_batch([TEXTS[0], "lift", TEXTS[1][:40]], add_special_tokens=False)
    return [np.array(encoding.ids, dtype=np.int64) for encoding in encodings]


@pytest.fixture(scope="session")
def checkpoint(tokenizer, tmp_path_factory):
    """A random LLaMA with grouped-query attention and an untied head, as a Hugging Face folder."""
    folder = tmp_path_factory.mktemp("random") / "llama"
    torch.manual_seed(11)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=1,
        eos_token_id=2,
        initializer_range=0.1,
    )
    model = LlamaForCausalLM(config)
    for name, parameter in model.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    model.save_pretrained(folder)
    save_tokenizer(tokenizer, folder, 256)
    return folder


@pytest.fixture(scope="session")
def text_file(tmp_path_factory):
    """JSONL of documents that keep to one of a few topics each, in other words in their middle."""
    file = tmp_path_factory.mktemp("text") / "topics.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in topic_documents(120, 20)))
    return file
