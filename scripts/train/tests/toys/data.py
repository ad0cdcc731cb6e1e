"""A toy of what the bundled model's recipe reads: pairs and text with their licences, and a BERT to learn from."""

import json
import lzma
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from tests.toys.texts import topic_documents, topic_texts

LICENCES = """| source name in the files | where it comes from | licence |
|---|---|---|
| arxiv, eval/toy | made up | CC0 |
| eval/only | made up | none |
"""
PROMPT_WORDS = ["the", "original", "next", "sentence", ":", "."]


def _write(file: Path, rows: list[dict]) -> None:
    with lzma.open(file, "wt") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)


def toy_data(folder: Path, count: int = 300) -> Path:
    """Short passages of one source, long ones of two, and documents of several sentences."""
    folder.mkdir(parents=True)
    queries, short, long = topic_texts(count, 4, 0), topic_texts(count, 12, 0), topic_texts(count, 110, 1)
    sources = ["squad_train_subset_sent", "arxiv", "medquad"]
    pairs = [
        {
            "query": f"{queries[i]} {queries[i - 1]}",
            "positive": long[i] if i % 3 else short[i],
            "source": sources[i % 3],
        }
        for i in range(count)
    ]
    sentences = topic_documents(4 * count, 8)
    texts = [". ".join(sentences[i::count]) + "." for i in range(count)]
    _write(folder / "pairs-00.jsonl.xz", pairs)
    _write(folder / "text-00.jsonl.xz", [{"source": "simplewiki", "text": text} for text in texts])
    (folder / "LICENSES.md").write_text(LICENCES)
    return folder


def toy_bert(folder: Path) -> Path:
    """A random BERT over the toy words that tells texts well apart, with mean pooling."""
    words = sorted({word for text in topic_documents(96, 12) for word in text.split()})
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {word: i for i, word in enumerate([*specials, *PROMPT_WORDS, *words])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=260,
    )
    model = BertModel(config)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "dense.weight" in name or ("self" in name and weights.ndim == 2):
                weights.mul_(6)
    model.save_pretrained(folder)
    return folder
