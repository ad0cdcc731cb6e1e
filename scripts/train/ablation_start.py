"""The checkpoint that the ablation's cells start from: the first layers of a BERT sentence encoder as a LLaMA.

    python ablation_start.py --teacher FOLDER --pairs PAIRS.jsonl.xz --data DATA --out CHECKPOINT

It has read neither prompt: ported without a gradient (port.py), with an LM head fitted on what the cut encoder makes of
the pairs' passages (lm_head.py). Few layers, so that every cell of the ablation takes minutes on a processor.
"""

import argparse
import shutil
import sys
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from transformers import AutoModel

import options
from corpus import Pair, read_json_lines
from lessons import LessonText
from lm_head import MEASURED_TEXTS, fitted_head, mean_length, save_with_head
from model_source import load_source
from port import fitting_texts, port_teacher
from run import plain_errors
from teacher import Teacher

TOKENS = 128
FITTED_PAIRS = 1_300
ROPE_THETA = 1e5


def cut_encoder(teacher: Path, layers: int, out: Path) -> None:
    """A copy of a sentence encoder with its first layers alone, tokenizer and pooling as they were."""
    shutil.copytree(teacher, out, ignore=shutil.ignore_patterns("*.safetensors", "*.bin", "*.onnx"))
    AutoModel.from_pretrained(teacher, num_hidden_layers=layers, dtype=torch.float32).save_pretrained(out)


def read_pairs_of(file: Path, rows: int) -> list[Pair]:
    read = islice(read_json_lines(file), rows)
    return [Pair(row["query"], row["positive"], row.get("source", "")) for row in read]


def make_start(given: argparse.Namespace, scratch: Path) -> None:
    pairs = read_pairs_of(given.pairs, given.rows)
    cut, ported = scratch / "encoder", scratch / "ported"
    cut_encoder(given.teacher, given.layers, cut)
    port_teacher(cut, fitting_texts(pairs[:FITTED_PAIRS]), ported, given.data, ROPE_THETA, given.seed)
    texts = [LessonText("ebae", pair.positive, pair.source) for pair in pairs]
    source = load_source(str(ported), None, torch.float32)
    vectors = Teacher(cut).encode([text.text for text in texts])
    head = fitted_head(source, texts, vectors, given.head_steps, TOKENS, given.drop_frequent, given.seed)
    head /= mean_length(source, [text.text for text in texts[:MEASURED_TEXTS]], TOKENS)
    save_with_head(given.out, source, head, passages=len(texts), steps=given.head_steps)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", type=Path, required=True, help="folder of a BERT sentence encoder")
    parser.add_argument("--layers", type=options.positive, default=2, help="of the encoder; the LLaMA has one more")
    parser.add_argument("--pairs", type=options.existing_file, required=True, metavar="FILE")
    parser.add_argument("--rows", type=options.positive, default=8_000, help="pairs read of it")
    parser.add_argument("--data", type=Path, required=True, help="folder whose LICENSES.md names the pairs' sources")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--head-steps", type=options.positive, default=250)
    parser.add_argument("--drop-frequent", type=int, default=50, help="so many most frequent ids are no targets of the head")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as scratch:
        make_start(given, Path(scratch))
    print(f"done: {given.out}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(plain_errors(main))
