"""What adapt.py and finetune.py share around their loop: devices, errors as one line, the end of a run."""

import json
import sys
import time
from argparse import Namespace
from datetime import timedelta
from pathlib import Path
from typing import Callable

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs
from torch import nn
from transformers.utils.logging import disable_progress_bar

from loop import Finished, Keeping
from model_source import causal_lm
from plot import plot_losses
from run_state import drop_run_state

PREPARATION_MAX = timedelta(hours=12)
INTERRUPTED = 3
"""Exit code of a run that stopped before its last step, its state saved."""


def accelerator_for(precision: str) -> Accelerator:
    """bf16 computes in bfloat16 (autocast) over float32 weights. `accelerate launch` says how many devices there are."""
    if not sys.stderr.isatty():
        disable_progress_bar()
    waiting = InitProcessGroupKwargs(timeout=PREPARATION_MAX)
    mixed = "bf16" if precision == "bf16" else "no"
    accelerator = Accelerator(mixed_precision=mixed, kwargs_handlers=[waiting])
    if accelerator.num_processes > 1 and accelerator.is_main_process:
        kind = accelerator.distributed_type.value
        print(f"{accelerator.num_processes} processes, {kind}, on {accelerator.device}", file=sys.stderr, flush=True)
    return accelerator


def trained_module(model: nn.Module, checkpointing: bool) -> nn.Module:
    """With `checkpointing`, layers are computed again in the backward pass instead of keeping what is inside them."""
    if checkpointing:
        causal_lm(model).activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    return model


def keeping_for(given: Namespace, identity: dict) -> Keeping:
    stop_at = time.time() + 60 * given.minutes
    return Keeping(given.out, identity, given.save_every, stop_at, given.report_every)


def is_concluded(accelerator: Accelerator, out: Path, identity: dict) -> bool:
    """Whether the run was finished before. Raises ValueError when another run was."""
    file = out / "finished.json"
    if not file.is_file():
        return False
    if json.loads(file.read_text(encoding="utf-8")) != json.loads(json.dumps(identity)):
        raise ValueError(f"{out} holds a finished run with other options: give another --out or delete the folder")
    if accelerator.is_main_process:
        print(f"finished before: {out}", file=sys.stderr)
    return True


def conclude(
    accelerator: Accelerator, out: Path, identity: dict, finished: Finished, save: Callable[[], Path]
) -> int:
    """Plots the losses; after the last step also writes the result and drops the state. Returns the exit code."""
    if accelerator.is_main_process:
        plot_losses(out / "losses.jsonl", out / "losses.png")
    code = INTERRUPTED
    if not finished.interrupted:
        result = save()
        code = 0
        if accelerator.is_main_process:
            (out / "finished.json").write_text(json.dumps(identity), encoding="utf-8")
            drop_run_state(out)
            print(f"done: {result}", file=sys.stderr)
    elif accelerator.is_main_process:
        print(f"stopped after step {finished.steps}; the same command goes on from there", file=sys.stderr)
    accelerator.end_training()
    return code


def plain_errors(main: Callable[[], int]) -> int:
    """A user's mistake as one line and exit code 2."""
    try:
        return main()
    except (ValueError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        return 2
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
