"""The beginning and the end of a run: was it finished before, and what it writes when it is."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from accelerate import Accelerator

from llara_train.running.loop import Finished
from llara_train.running.loss_plot import plot_losses
from llara_train.running.run_state import drop_run_state

INTERRUPTED = 3
"""Exit code of a run that stopped before its last step, its state saved."""


def is_concluded(accelerator: Accelerator, out: Path, identity: dict[str, object]) -> bool:
    """Whether the run in `out` was finished before. Raises ValueError when it was one with another identity."""
    file = out / "finished.json"
    if not file.is_file():
        return False
    if json.loads(file.read_text(encoding="utf-8")) != json.loads(json.dumps(identity)):
        raise ValueError(f"{out} holds a finished run with other options: choose another --out or delete the folder")
    if accelerator.is_main_process:
        print(f"already finished: {out}", file=sys.stderr)
    return True


def conclude(
    accelerator: Accelerator, out: Path, identity: dict[str, object], finished: Finished, save: Callable[[], Path]
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
        print(f"stopped after step {finished.steps}: run the same command again to continue", file=sys.stderr)
    accelerator.end_training()
    return code
