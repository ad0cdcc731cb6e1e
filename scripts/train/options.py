"""Command-line options that adapt.py and finetune.py have in common."""

import argparse
from pathlib import Path

from torch import nn

from model_source import DTYPES, Lora
from rates import SHAPES, Rates
from templates import TEMPLATES


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1 is wanted")
    return value


def existing_file(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return Path(text)


def add_model(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model")
    group.add_argument("--model", required=True, help="Hugging Face folder or id of a LLaMA-family causal LM")
    group.add_argument("--out", type=Path, required=True, help="folder of this run: state, log, plot, result")
    group.add_argument("--template", choices=[*TEMPLATES], help="default: what the checkpoint says, else paper")
    group.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="what is computed in")
    group.add_argument("--gradient-checkpointing", action="store_true")


def add_lora(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("LoRA (the paper's setting for fine-tuning)")
    group.add_argument("--lora", action="store_true", help="train adapters on q, k, v, o, gate, up, down")
    group.add_argument("--lora-rank", type=positive, default=Lora.rank)
    group.add_argument("--lora-alpha", type=positive, default=Lora.alpha)
    group.add_argument("--lora-dropout", type=float, default=Lora.dropout)
    group.add_argument("--base-dtype", choices=[*DTYPES], help="of the frozen weights; default as they are stored")
    group.add_argument("--merge", action="store_true", help="also write a checkpoint with the adapter merged in")


def add_training(parser: argparse.ArgumentParser, steps: int, rate: float, warm_up: int, shape: str) -> None:
    group = parser.add_argument_group("training")
    group.add_argument("--steps", type=positive, default=steps)
    group.add_argument("--rate", type=float, default=rate, help="peak learning rate (default %(default)s)")
    group.add_argument("--embeddings-share", type=float, default=1.0, help="the embeddings' share of the rate")
    group.add_argument("--freeze", nargs="+", default=[], metavar="NAME", help="parameters with this in their name stay as they are")
    group.add_argument("--warm-up", type=int, default=warm_up, help="steps of rising rate (default %(default)s)")
    group.add_argument("--schedule", choices=SHAPES, default=shape)
    group.add_argument("--final-share", type=float, default=0.0, help="of the peak rate left at the end")
    group.add_argument("--weight-decay", type=float, default=0.01)
    group.add_argument("--clip", type=float, default=1.0, help="largest norm of the gradient")
    group.add_argument("--seed", type=int, default=0)
    group.add_argument("--save-every", type=positive, default=200, help="steps between states to resume from")
    group.add_argument("--report-every", type=positive, default=10, help="steps between lines without a terminal")
    group.add_argument("--minutes", type=float, default=float("inf"), help="save the state and stop after these")


def rates_of(given: argparse.Namespace) -> Rates:
    return Rates(
        given.rate, given.embeddings_share, given.warm_up, given.schedule, given.final_share, given.weight_decay,
        given.clip,
    )  # fmt: skip


def freeze(model: nn.Module, names: list[str]) -> None:
    """Raises ValueError for a name that no parameter has."""
    for name in names:
        found = [parameter for full, parameter in model.named_parameters() if name in full]
        if not found:
            raise ValueError(f"--freeze {name}: no parameter has this in its name")
        for parameter in found:
            parameter.requires_grad_(False)


def lora_of(given: argparse.Namespace) -> Lora | None:
    return Lora(given.lora_rank, given.lora_alpha, given.lora_dropout) if given.lora else None


def load_dtype_of(given: argparse.Namespace) -> object:
    """Weights that learn are kept in float32; frozen ones may stay as they are stored."""
    if given.lora:
        return DTYPES[given.base_dtype] if given.base_dtype else None
    return DTYPES["fp32"]


def check_lora(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    if not given.lora and (given.merge or given.base_dtype):
        parser.error("--merge and --base-dtype belong to --lora")
