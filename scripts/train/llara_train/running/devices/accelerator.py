"""The devices of a run, through accelerate: one processor, one GPU, or several of either."""

import sys
from datetime import timedelta

from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs
from torch import nn
from transformers.utils.logging import disable_progress_bar

from llara_train.model.source import causal_lm

PREPARATION_MAX = timedelta(hours=12)


def accelerator_for(precision: str) -> Accelerator:
    """The devices that this process was launched for; 'bf16' computes in bfloat16 (autocast) over float32 weights."""
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
    """The model, which with `checkpointing` computes its layers again in the backward pass to save memory."""
    if checkpointing:
        causal_lm(model).activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    return model
