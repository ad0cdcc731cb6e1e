"""Trains a ported checkpoint on a teacher's vectors: queries are read with the EBAR prompt ("what
comes next"), passages with EBAE ("the text itself").

    llara-train distil --model CHECKPOINT --lessons lessons.jsonl [more.jsonl] --out CHECKPOINT

The teacher's vectors of NAME.jsonl are expected beside it in NAME.npy. CHECKPOINT comes from `llara-train port`, or
from `llara-train adapt --freeze up_proj` on such a one. Writes a Hugging Face folder without an LM head of its own (the
token table stands in for it). If it was stopped, run the same command again to continue.
"""

import argparse
import os
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist
from torch.multiprocessing import ProcessExitedException, spawn

from llara_train.cli.mistakes import plain_errors
from llara_train.cli.parser import command_parser, existing_file, positive
from llara_train.model.source import load_source
from llara_train.porting import record
from llara_train.porting.lean_llama import lean_llama
from llara_train.porting.ported_checkpoint import save_lean
from llara_train.teaching.lessons import read_lessons
from llara_train.training.from_lessons import Distillation, Options

COMMAND = "llara-train distil"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options as given."""
    parser = command_parser(COMMAND, __doc__)
    parser.add_argument("--model", required=True, help="folder of the checkpoint to start from")
    parser.add_argument(
        "--lessons",
        type=existing_file,
        nargs="+",
        required=True,
        metavar="FILE",
        help="JSONL with prompt (ebar or ebae) and text, the vectors in .npy beside it",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the new checkpoint")
    parser.add_argument(
        "--tokens", type=positive, default=200, help="cut a text at this length, prompt not counted (default 200)"
    )
    parser.add_argument("--epochs", type=float, default=Options.epochs, help="(default %(default)s)")
    parser.add_argument("--rate", type=float, default=Options.rate, help="peak learning rate (default %(default)s)")
    parser.add_argument(
        "--warm-up",
        type=positive,
        default=Options.warm_up,
        help="steps over which the rate rises (default %(default)s)",
    )
    parser.add_argument(
        "--micro-batch",
        type=positive,
        default=Options.micro_batch,
        help="texts in a forward pass (default %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=Options.seed, help="(default %(default)s)")
    parser.add_argument("--processes", type=positive, default=2, help="each with one thread (default %(default)s)")
    return parser.parse_args(arguments)


def _options(given: argparse.Namespace) -> Options:
    names = ("epochs", "rate", "warm_up", "micro_batch", "seed")
    return replace(Options(), **{name: getattr(given, name) for name in names})


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _work(rank: int, given: argparse.Namespace, port: int) -> int:
    if given.processes > 1:
        torch.set_num_threads(1)
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        dist.init_process_group("gloo", rank=rank, world_size=given.processes)
    source, options = load_source(given.model, None, torch.float32), _options(given)
    student = lean_llama(source.model)
    lessons = read_lessons(given.lessons, source.tokenizer, source.prompts, given.tokens)
    state = given.out.with_name(given.out.name + ".state.pt")
    distillation = Distillation(student, lessons, options, state)

    def report(step: int, steps: int, distance: float, ranking: float) -> None:
        if rank == 0 and (step % 25 == 0 or step == steps):
            line = f"{time.strftime('%H:%M:%S')} step {step}/{steps}  distance {distance:.4f}  ranking {ranking:.4f}"
            print(line, file=sys.stderr, flush=True)

    distillation.run(report)
    if rank == 0:
        facts = record.with_distillation(source.facts, distillation.step, len(lessons), given.tokens, vars(options))
        save_lean(given.out, student, source, facts)
        state.unlink(missing_ok=True)
    return 0


def _process(rank: int, given: argparse.Namespace, port: int) -> None:
    code = plain_errors(COMMAND, lambda: _work(rank, given, port))
    if code:
        raise SystemExit(code)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code. Raises ValueError for a user's mistake."""
    given = parse(arguments)
    if given.out.exists():
        print(f"already finished: {given.out}", file=sys.stderr)
        return 0
    if given.processes == 1:
        return _work(0, given, 0)
    try:
        spawn(_process, (given, _free_port()), nprocs=given.processes)
    except ProcessExitedException as error:
        return error.exit_code or 1
    return 0
