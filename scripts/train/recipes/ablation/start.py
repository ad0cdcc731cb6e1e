"""Makes the checkpoint that the ablation's cells start from: the first layers of a BERT sentence encoder as a LLaMA.

    python -m recipes.ablation.start --teacher FOLDER --pairs PAIRS.jsonl.xz --data DATA --out CHECKPOINT

The model has seen neither prompt: it is ported without gradients, with an LM head fitted on the vectors that the cut
encoder gives the passages. With so few layers a cell of the ablation takes minutes on a processor.
"""

import argparse
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from transformers import AutoModel

from llara_train.cli.mistakes import plain_errors
from llara_train.cli.parser import command_parser, existing_file, positive
from llara_train.data.corpus import read_pair_file
from llara_train.model.source import load_source
from llara_train.porting.lm_head import HeadFit, save_with_fitted_head
from llara_train.porting.ported_checkpoint import fitting_texts, port_teacher
from llara_train.teaching.lessons import LessonText
from llara_train.teaching.teachers import Teacher

COMMAND = "python -m recipes.ablation.start"
TOKENS = 128
FITTED_PAIRS = 1_300
ROPE_THETA = 1e5


def cut_encoder(teacher: Path, layers: int, out: Path) -> None:
    """A copy of a sentence encoder with its first layers alone, tokenizer and pooling as they were."""
    shutil.copytree(teacher, out, ignore=shutil.ignore_patterns("*.safetensors", "*.bin", "*.onnx"))
    AutoModel.from_pretrained(teacher, num_hidden_layers=layers, dtype=torch.float32).save_pretrained(out)


def make_start(given: argparse.Namespace, scratch: Path) -> None:
    """Writes the checkpoint. `given`: the command's options; `scratch`: an empty folder for what lies between."""
    pairs = read_pair_file(given.pairs, given.rows)
    cut, ported = scratch / "encoder", scratch / "ported"
    cut_encoder(given.teacher, given.layers, cut)
    port_teacher(cut, fitting_texts(pairs[:FITTED_PAIRS]), ported, given.data, ROPE_THETA, given.seed)
    texts = [LessonText("ebae", pair.positive, pair.source) for pair in pairs]
    source = load_source(str(ported), None, torch.float32)
    vectors = Teacher(cut).encode([text.text for text in texts])
    fit = HeadFit(given.head_steps, TOKENS, given.drop_frequent, given.seed)
    save_with_fitted_head(given.out, source, texts, vectors, fit)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options as given."""
    parser = command_parser(COMMAND, __doc__)
    parser.add_argument(
        "--teacher", type=Path, required=True, metavar="FOLDER", help="folder of the BERT sentence encoder"
    )
    parser.add_argument(
        "--layers", type=positive, default=2, help="layers to keep (default 2); the LLaMA gets one more"
    )
    parser.add_argument(
        "--pairs", type=existing_file, required=True, metavar="FILE", help="JSONL of pairs: query, positive"
    )
    parser.add_argument("--rows", type=positive, default=8_000, help="pairs to read (default %(default)s)")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FOLDER", help="folder whose LICENSES.md names the pairs' sources"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--head-steps", type=positive, default=250, help="steps of the LM head's fit (default 250)")
    parser.add_argument(
        "--drop-frequent",
        type=int,
        default=50,
        metavar="N",
        help="drop the N most frequent token ids from the head's targets (default 50)",
    )
    parser.add_argument("--seed", type=int, default=1, help="(default %(default)s)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code. Raises ValueError for a user's mistake."""
    given = parse(arguments)
    with TemporaryDirectory() as scratch:
        make_start(given, Path(scratch))
    print(f"done: {given.out}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(plain_errors(COMMAND, main))
