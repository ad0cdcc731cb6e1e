"""Options that `adapt` and `finetune` have in common."""

import argparse
import time
from pathlib import Path

import torch

from llara_train.cli.parser import positive
from llara_train.model.lora import Lora
from llara_train.model.source import DTYPES
from llara_train.model.templates import TEMPLATES
from llara_train.running.learning_rates import SHAPES, Rates
from llara_train.running.loop import Keeping


def add_model(parser: argparse.ArgumentParser) -> None:
    """Adds what the run starts from and where it writes."""
    group = parser.add_argument_group("model")
    group.add_argument("--model", required=True, help="folder or Hugging Face id of a LLaMA-family causal LM")
    group.add_argument("--out", type=Path, required=True, help="folder of this run: state, log, plot and result")
    group.add_argument(
        "--template", choices=[*TEMPLATES], help="prompt template; default: the checkpoint's own, else paper"
    )
    group.add_argument(
        "--precision", choices=["fp32", "bf16"], default="fp32", help="precision of the computation (default fp32)"
    )
    group.add_argument("--gradient-checkpointing", action="store_true", help="use less memory and more time")


def add_lora(parser: argparse.ArgumentParser) -> None:
    """Adds whether adapters are trained instead of the whole model, and their sizes."""
    group = parser.add_argument_group("LoRA (the paper fine-tunes with it)")
    group.add_argument("--lora", action="store_true", help="train adapters on q, k, v, o, gate, up and down only")
    group.add_argument("--lora-rank", type=positive, default=Lora.rank, help="(default %(default)s)")
    group.add_argument("--lora-alpha", type=positive, default=Lora.alpha, help="(default %(default)s)")
    group.add_argument("--lora-dropout", type=float, default=Lora.dropout, help="(default %(default)s)")
    group.add_argument("--base-dtype", choices=[*DTYPES], help="dtype of the frozen weights; default: as stored")
    group.add_argument("--merge", action="store_true", help="also write a checkpoint with the adapter merged in")


def add_training(parser: argparse.ArgumentParser, steps: int, rate: float, warm_up: int, shape: str) -> None:
    """Adds the optimiser, its schedule, the seed, and when the state is saved; the arguments are defaults."""
    group = parser.add_argument_group("training")
    group.add_argument("--steps", type=positive, default=steps, help="(default %(default)s)")
    group.add_argument("--rate", type=float, default=rate, help="peak learning rate (default %(default)s)")
    group.add_argument(
        "--embeddings-share", type=float, default=1.0, help="learning rate of the embeddings, as a share of --rate"
    )
    group.add_argument(
        "--freeze", nargs="+", default=[], metavar="NAME", help="do not train parameters with NAME in their name"
    )
    group.add_argument(
        "--warm-up", type=int, default=warm_up, help="steps over which the rate rises (default %(default)s)"
    )
    group.add_argument("--schedule", choices=SHAPES, default=shape, help="shape of the fall (default %(default)s)")
    group.add_argument("--final-share", type=float, default=0.0, help="share of the peak rate left at the end")
    group.add_argument("--weight-decay", type=float, default=0.01, help="(default %(default)s)")
    group.add_argument("--clip", type=float, default=1.0, help="clip the gradient to this norm (default %(default)s)")
    group.add_argument("--seed", type=int, default=0, help="(default %(default)s)")
    group.add_argument(
        "--save-every", type=positive, default=200, help="steps between saved states (default %(default)s)"
    )
    group.add_argument(
        "--report-every", type=positive, default=10, help="steps between progress lines (default %(default)s)"
    )
    group.add_argument("--minutes", type=float, default=float("inf"), help="save the state and stop after N minutes")


def rates_of(given: argparse.Namespace) -> Rates:
    """The learning rates that were asked for."""
    return Rates(
        layers=given.rate,
        embeddings_share=given.embeddings_share,
        warm_up_steps=given.warm_up,
        shape=given.schedule,
        final_share=given.final_share,
        weight_decay=given.weight_decay,
        clip=given.clip,
    )


def lora_of(given: argparse.Namespace) -> Lora | None:
    """Sizes of the adapters, None for training in full."""
    return Lora(given.lora_rank, given.lora_alpha, given.lora_dropout) if given.lora else None


def load_dtype_of(given: argparse.Namespace) -> torch.dtype | None:
    """Weights that learn are kept in float32; frozen ones may stay as they are stored (None)."""
    if given.lora:
        return DTYPES[given.base_dtype] if given.base_dtype else None
    return DTYPES["fp32"]


def check_lora(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """Ends the command with exit code 2 when an option of LoRA was given without it."""
    if not given.lora and (given.merge or given.base_dtype):
        parser.error("--merge and --base-dtype have no effect without --lora: add --lora or leave them out")


def keeping_for(given: argparse.Namespace, identity: dict[str, object]) -> Keeping:
    """Where and how often the state is saved; the time allowed starts now."""
    stop_at = time.time() + 60 * given.minutes
    return Keeping(given.out, identity, given.save_every, stop_at, given.report_every)
