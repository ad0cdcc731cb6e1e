"""Fixtures of the reranker tests: pairs as the reference code puts them, and the scores transformers and peft give.

Writes test/fixtures/rerankers/<name>/golden.json, and beside it what the checkpoints of the export tests lack: a LoRA
adapter with a classifier's head, as RankLLaMA is published, or a whole classifier.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification, PreTrainedModel

from recipes.golden.checkpoints import ids_of, without_specials
from recipes.golden.folder import FIXTURES, chosen, report

RERANKERS = FIXTURES / "rerankers"
QUESTION = (
    "Given a query A and a passage B, determine whether the passage contains an answer to the query by providing a "
    "prediction of either 'Yes' or 'No'."
)
LONG = "The bridge was closed for a week, and nobody knew when the ferry would be full again. "
PAIRS = [
    ("Why do leaves turn red?", "Leaves turn red when the nights grow cold."),
    ("Why do leaves turn red?", "The bridge was closed for a week."),
    ("Why do leaves turn red?", ""),
    ("x", "A text that says </s> and <s1><s9> is only a text."),
    ("naïve 東京 🙂", "Größe, naïve café, 東京 and 🙂 are bytes here."),
    ("when was the bridge closed", LONG * 3),
    (LONG, "x"),
    (LONG, LONG * 3),
]
QUERY_TOKENS = 32
"""RankLLaMA's limit of a query."""

Rows = list[list[int]]


@dataclass(frozen=True)
class Pairing:
    """What makes rows of pairs: the tokenizer, its special ids, and the longest text."""

    plain: Tokenizer
    bos: int | None
    eos: int | None
    text_tokens: int

    def encode(self, text: str) -> list[int]:
        """Ids of a text alone, in which nothing is special."""
        return ids_of(self.plain, text)


def rankllama(pairing: Pairing, query: str, text: str) -> list[int]:
    """As the released checkpoints were trained: a BOS before each part, no EOS."""
    bos = [] if pairing.bos is None else [pairing.bos]
    first = pairing.encode(f"query: {query}")[:QUERY_TOKENS]
    return bos + first + bos + pairing.encode(f"document: {text}")[: pairing.text_tokens]


def rankllama_eos(pairing: Pairing, query: str, text: str) -> list[int]:
    """One string and an EOS. A query that would leave no room for a text is cut at three quarters of the row."""
    bos = [] if pairing.bos is None else [pairing.bos]
    first = pairing.encode(f"query: {query}")[: pairing.text_tokens * 3 // 4]
    whole = bos + first + pairing.encode(f" document: {text}")
    if len(first) == len(pairing.encode(f"query: {query}")):
        assert whole == bos + pairing.encode(f"query: {query} document: {text}")
    assert pairing.eos is not None
    return [*whole[: pairing.text_tokens - 1], pairing.eos]


def yes_no(pairing: Pairing, query: str, text: str) -> list[int]:
    """As FlagEmbedding's LLM rerankers: the pair is cut from its end, then the question is added."""
    separator, question = pairing.encode("\n"), pairing.encode(QUESTION)
    query_ids = pairing.encode(f"A: {query}")[: pairing.text_tokens * 3 // 4]
    passage = separator + pairing.encode(f"B: {text}")[: pairing.text_tokens]
    pair = ([] if pairing.bos is None else [pairing.bos]) + query_ids + passage
    return pair[: pairing.text_tokens + len(separator) + len(question)] + separator + question


TEMPLATES: dict[str, Callable[[Pairing, str, str], list[int]]] = {
    "rankllama": rankllama,
    "rankllama-eos": rankllama_eos,
    "yes-no": yes_no,
}


@dataclass(frozen=True)
class Fixture:
    """`base` is a checkpoint of the export tests; without one the fixture has a classifier of its own."""

    template: str
    text_tokens: int
    base: str | None = None


FIXTURE_LIST = {
    "lora": Fixture("rankllama", 60, base="gqa-released"),
    "classifier": Fixture("rankllama-eos", 100),
    "yes-no": Fixture("yes-no", 44, base="mha-released"),
    "yes-no-tied": Fixture("yes-no", 44, base="mha-paper"),
}


def base_folder(name: str) -> Path:
    """Where the whole weights of a fixture lie."""
    base = FIXTURE_LIST[name].base
    return RERANKERS / name / "checkpoint" if base is None else FIXTURES / "checkpoints" / base


def load(name: str) -> PreTrainedModel:
    """The model in float32, its adapter merged by peft."""
    folder, adapter = base_folder(name), RERANKERS / name / "adapter"
    if FIXTURE_LIST[name].template == "yes-no":
        return LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    model = LlamaForSequenceClassification.from_pretrained(folder, num_labels=1, dtype=torch.float32)
    if adapter.exists():
        model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    return model.eval()


def rows_of(name: str) -> Rows:
    """The pairs as ids."""
    fixture = FIXTURE_LIST[name]
    tokenizer = Tokenizer.from_file(str(base_folder(name) / "tokenizer.json"))
    special = tokenizer.token_to_id
    pairing = Pairing(without_specials(tokenizer), special("<s>"), special("</s>"), fixture.text_tokens)
    return [TEMPLATES[fixture.template](pairing, query, text) for query, text in PAIRS]


@torch.no_grad()
def scores_of(name: str, rows: Rows) -> list[float]:
    """Each row alone: the classifier's logit, or that of the first token of `Yes` at the last position."""
    model = load(name)
    logits = [model(input_ids=torch.tensor([row])).logits[0] for row in rows]
    if FIXTURE_LIST[name].template != "yes-no":
        return [float(logit[0]) for logit in logits]
    tokenizer = Tokenizer.from_file(str(base_folder(name) / "tokenizer.json"))
    yes = ids_of(without_specials(tokenizer), "Yes")[0]
    return [float(logit[-1, yes]) for logit in logits]


def save_adapter(folder: Path, base: Path) -> None:
    """A LoRA on the modules that RankLLaMA's has, with a head of random weights."""
    model = LlamaForSequenceClassification.from_pretrained(base, num_labels=1, dtype=torch.float32)
    modules = ["q_proj", "v_proj", "o_proj", "down_proj", "up_proj", "gate_proj"]
    adapted = get_peft_model(model, LoraConfig(task_type="SEQ_CLS", r=2, lora_alpha=4, target_modules=modules))
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.1)
        elif "modules_to_save" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    adapted.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = base.name
    config["target_modules"] = sorted(config["target_modules"])
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")


def save_classifier(folder: Path) -> None:
    """A whole classifier with the tokenizer of a checkpoint of the export tests."""
    tokens = FIXTURES / "checkpoints" / "gqa-released"
    vocabulary = Tokenizer.from_file(str(tokens / "tokenizer.json")).get_vocab_size()
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.25,
        bos_token_id=1,
        eos_token_id=2,
        num_labels=1,
    )
    model = LlamaForSequenceClassification(config).to(torch.bfloat16)
    model.save_pretrained(folder)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokens / file, folder / file)


def save(name: str) -> None:
    """Writes one fixture; an old one is deleted first."""
    fixture, folder = FIXTURE_LIST[name], RERANKERS / name
    torch.manual_seed(29)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if name == "lora":
        save_adapter(folder / "adapter", base_folder(name))
    elif fixture.base is None:
        save_classifier(folder / "checkpoint")
    rows = rows_of(name)
    golden = {
        "template": fixture.template,
        "base": fixture.base,
        "text_tokens": fixture.text_tokens,
        "pairs": PAIRS,
        "ids": rows,
        "scores": [round(score, 6) for score in scores_of(name, rows)],
    }
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")
    for file in folder.rglob("*.*"):
        if file.is_file():
            file.chmod(0o644)


def make(names: list[str]) -> None:
    """Makes the fixtures of these names, all without any. Raises ValueError for an unknown name."""
    for name in chosen(names, FIXTURE_LIST):
        save(name)
        report(RERANKERS / name)
