"""Fixtures of the export tests: tiny random LLaMAs and the vectors that transformers gives for them.

Writes test/fixtures/checkpoints/<name>/: config.json, safetensors, tokenizer.json, tokenizer_config.json and
golden.json. The tokenizer has bytes, a few merges, and special tokens in scrambled order.
"""

import json
import random
import shutil
from dataclasses import dataclass, field

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, LlamaModel

from recipes.golden.folder import FIXTURES, chosen, report

TEXTS = [
    "A lighthouse keeper wrote down the weather every evening.",
    "Why do leaves turn red?",
    "x",
    "The bridge was closed for a week; nobody in the village knew when it would open again, and the ferry was full.",
    "A text that says </s> and <s1><s9> is only a text.",
    "Größe, naïve café, 東京 and 🙂 are bytes here.",
]
WORDS = {
    "paper": {"ebae": " The original sentence: ", "ebar": " The next sentence: "},
    "released": {
        "ebae": '", summarize the above passage within eight words: ',
        "ebar": '", predict the following passage within eight words: ',
    },
}
SPECIALS = {
    "paper": {"ebae": ["</s>"], "ebar": ["</s>"]},
    "released": {"ebae": [f"<s{i}>" for i in range(1, 9)], "ebar": [f"<s{i}>" for i in range(9, 17)]},
}
PREFIX = {"paper": "", "released": '"'}


@dataclass(frozen=True)
class Fixture:
    """What a checkpoint is like. `bare`: without LM head; `shard`: size of its files; `config`: beside the usual."""

    name: str
    template: str
    bos: bool
    dtype: torch.dtype = torch.float32
    bare: bool = False
    shard: str | None = None
    wordpiece: bool = False
    config: dict = field(default_factory=dict)


FIXTURE_LIST = [
    Fixture("mha-paper", "paper", bos=False, config={"tie_word_embeddings": True}),
    Fixture("mha-released", "released", bos=True, dtype=torch.bfloat16),
    Fixture(
        "gqa-released",
        "released",
        bos=True,
        dtype=torch.bfloat16,
        shard="40KB",
        config={
            "num_key_value_heads": 2,
            "head_dim": 16,
            "rms_norm_eps": 1e-5,
            "rope_parameters": {
                "rope_type": "llama3",
                "rope_theta": 500.0,
                "factor": 4.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 64,
            },
        },
    ),
    Fixture(
        "gqa-paper",
        "paper",
        bos=True,
        dtype=torch.float16,
        bare=True,
        config={
            "num_key_value_heads": 1,
            "rope_parameters": {"rope_type": "linear", "rope_theta": 1000.0, "factor": 2.0},
        },
    ),
    Fixture(
        "blocks-released",
        "released",
        bos=True,
        dtype=torch.bfloat16,
        config={
            "hidden_size": 64,
            "intermediate_size": 160,
            "num_hidden_layers": 2,
            "num_key_value_heads": 2,
            "initializer_range": 0.1,
        },
    ),
    Fixture(
        "bias-paper",
        "paper",
        bos=True,
        wordpiece=True,
        config={
            "attention_bias": True,
            "mlp_bias": True,
            "num_key_value_heads": 2,
            "tie_word_embeddings": True,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e15},
        },
    ),
]


def tiny_tokenizer(bos: bool) -> Tokenizer:
    """Byte-level BPE; `<s1>`..`<s16>` come after the vocabulary in an order of their own."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    first = [AddedToken(token, special=True, normalized=False) for token in ("<unk>", "<s>", "</s>")]
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=first, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(
        TEXTS[:4] + [words for by_prompt in WORDS.values() for words in by_prompt.values()], trainer
    )
    numbers = list(range(1, 17))
    random.Random(5).shuffle(numbers)
    tokenizer.add_special_tokens([AddedToken(f"<s{i}>", special=True, normalized=False) for i in numbers])
    if bos:
        single = "<s> $A"
        tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=[("<s>", 1)])
    return tokenizer


def tiny_wordpiece() -> Tokenizer:
    """As BERT has it: lower case, no accents, split at spaces and punctuation, `[CLS]` at the start; `</s>` added."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    words = [words for by_prompt in WORDS.values() for words in by_prompt.values()]
    trainer = trainers.WordPieceTrainer(
        vocab_size=200, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS[:4] + words, trainer)
    tokenizer.add_special_tokens([AddedToken("</s>", special=True, normalized=False)])
    single = [("[CLS]", tokenizer.token_to_id("[CLS]")), ("[SEP]", tokenizer.token_to_id("[SEP]"))]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=single)
    return tokenizer


def ids_of(plain: Tokenizer, text: str) -> list[int]:
    """Ids of a text alone."""
    return plain.encode(text, add_special_tokens=False).ids


def without_specials(tokenizer: Tokenizer) -> Tokenizer:
    """The same tokenizer for user text: nothing in it becomes a special token."""
    file = json.loads(tokenizer.to_str())
    file["added_tokens"] = []
    return Tokenizer.from_str(json.dumps(file))


@torch.no_grad()
def embed(model: LlamaModel, rows: list[list[int]], pooled: int) -> list[list[float]]:
    """Each row alone: mean of its last `pooled` states after the final norm, unit length."""
    vectors = []
    for row in rows:
        states = model(input_ids=torch.tensor([row])).last_hidden_state[0]
        vectors.append(torch.nn.functional.normalize(states[-pooled:].mean(0), dim=0).tolist())
    return vectors


def save(fixture: Fixture) -> None:
    """Writes one fixture; an old one is deleted first."""
    torch.manual_seed(11)
    tokenizer = tiny_wordpiece() if fixture.wordpiece else tiny_tokenizer(fixture.bos)
    bos = "[CLS]" if fixture.wordpiece else "<s>"
    bos_id = tokenizer.token_to_id(bos)
    settings = {
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "max_position_embeddings": 256,
        "initializer_range": 0.25,
        "bos_token_id": bos_id,
        "eos_token_id": tokenizer.token_to_id("</s>"),
        **fixture.config,
    }
    whole = LlamaForCausalLM(LlamaConfig(**settings)).eval()
    for name, parameter in whole.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
        elif name.endswith("bias"):
            torch.nn.init.uniform_(parameter, -0.5, 0.5)
    whole = whole.to(fixture.dtype)
    folder = FIXTURES / "checkpoints" / fixture.name
    shutil.rmtree(folder, ignore_errors=True)
    saved = whole.model if fixture.bare else whole
    saved.save_pretrained(folder, **({"max_shard_size": fixture.shard} if fixture.shard else {}))
    (folder / "generation_config.json").unlink(missing_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    tokenizer_config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": bos, "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config, indent=2) + "\n")

    plain, model = without_specials(tokenizer), LlamaModel.from_pretrained(folder, dtype=torch.float32).eval()
    prefix = ([bos_id] if fixture.bos else []) + ids_of(plain, PREFIX[fixture.template])
    golden: dict = {"template": fixture.template, "prefix_ids": prefix, "texts": TEXTS, "prompts": {}}
    golden["body_ids"] = [ids_of(plain, text) for text in TEXTS]
    for prompt in ("ebae", "ebar"):
        specials = [tokenizer.token_to_id(token) for token in SPECIALS[fixture.template][prompt]]
        suffix = ids_of(plain, WORDS[fixture.template][prompt]) + specials
        rows = [prefix + body + suffix for body in golden["body_ids"]]
        vectors = embed(model, rows, len(specials))
        golden["prompts"][prompt] = {
            "suffix_ids": suffix,
            "vectors": [[round(value, 7) for value in vector] for vector in vectors],
        }
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")


def make(names: list[str]) -> None:
    """Makes the fixtures of these names, all without any. Raises ValueError for an unknown name."""
    fixtures = {fixture.name: fixture for fixture in FIXTURE_LIST}
    for name in chosen(names, fixtures):
        save(fixtures[name])
        report(FIXTURES / "checkpoints" / name)
