"""Teaches a ported or adapted checkpoint a teacher's vectors: queries read with the EBAR prompt, passages with EBAE.

    python distil.py --model CHECKPOINT --lessons lessons.jsonl [more.jsonl] --out CHECKPOINT

Beside each lessons file lie the teacher's vectors of its texts (lessons.py). The checkpoint is one that port.py made,
or that adapt.py made of such a one with `--freeze up_proj`. Leaves a Hugging Face folder without an LM head of its own
(the token table stands in for it); run it again to go on where it was stopped.
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
from torch.multiprocessing import ProcessExitedException

import model_facts
import options as options_of
from checkpoint import save_checkpoint
from distillation import Distillation, Options
from lean_llama import LeanLlama, lean_llama, stock_llama
from lessons import read_lessons
from model_source import Source, load_source
from run import plain_errors


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder to start from")
    parser.add_argument("--lessons", type=options_of.existing_file, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument(
        "--tokens", type=options_of.positive, default=200, help="of a text, without the prompt (default %(default)s)"
    )
    parser.add_argument("--epochs", type=float, default=Options.epochs)
    parser.add_argument("--rate", type=float, default=Options.rate, help="peak learning rate (default %(default)s)")
    parser.add_argument("--warm-up", type=options_of.positive, default=Options.warm_up, help="steps of rising rate")
    parser.add_argument("--micro-batch", type=options_of.positive, default=Options.micro_batch)
    parser.add_argument("--seed", type=int, default=Options.seed)
    parser.add_argument("--processes", type=options_of.positive, default=2, help="one thread each (default %(default)s)")
    return parser.parse_args(arguments)


def options_from(given: argparse.Namespace) -> Options:
    names = ("epochs", "rate", "warm_up", "micro_batch", "seed")
    return replace(Options(), **{name: getattr(given, name) for name in names})


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _work(rank: int, given: argparse.Namespace, port: int) -> int:
    if given.processes > 1:
        torch.set_num_threads(1)
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        dist.init_process_group("gloo", rank=rank, world_size=given.processes)
    source, options = load_source(given.model, None, torch.float32), options_from(given)
    student = lean_llama(source.model)
    lessons = read_lessons(given.lessons, source.tokenizer, source.prompts, given.tokens)
    state = given.out.with_name(given.out.name + ".state.pt")
    distillation = Distillation(student, lessons, options, state)

    def report(step: int, steps: int, distance: float, ranking: float) -> None:
        if rank == 0 and (step % 25 == 0 or step == steps):
            line = f"{time.strftime('%H:%M:%S')} {step}/{steps} distance {distance:.4f} ranking {ranking:.4f}"
            print(line, file=sys.stderr, flush=True)

    distillation.run(report)
    if rank == 0:
        facts = model_facts.with_distillation(source.facts, distillation.step, len(lessons), given.tokens, vars(options))
        save_student(given.out, student, source, facts)
        state.unlink(missing_ok=True)
    return 0


def _process(rank: int, given: argparse.Namespace, port: int) -> None:
    code = plain_errors(lambda: _work(rank, given, port))
    if code:
        raise SystemExit(code)


def save_student(folder: Path, student: LeanLlama, source: Source, facts: dict) -> None:
    config = source.model.config
    ids = {f"{name}_token_id": getattr(config, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    stock = stock_llama(student, config.max_position_embeddings, **ids)
    save_checkpoint(folder, stock, source.tokenizer.whole, facts, bos=source.tokenizer.bos is not None)


def main(arguments: list[str] | None = None) -> int:
    given = parse(arguments)
    if given.out.exists():
        print(f"finished before: {given.out}", file=sys.stderr)
        return 0
    if given.processes == 1:
        return _work(0, given, 0)
    try:
        torch.multiprocessing.spawn(_process, (given, _free_port()), nprocs=given.processes)
    except ProcessExitedException as error:
        return error.exit_code or 1
    return 0


if __name__ == "__main__":
    raise SystemExit(plain_errors(main))
