"""The state a run resumes from: what learns, the optimiser, the step, and what the run was asked to do.

On one device, or on several that each hold everything, it is one file `state.pt` that is replaced as a whole. Where the
weights are sharded (FSDP, DeepSpeed) accelerate writes a folder, and `state.json` names the one that is complete.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType
from torch import nn
from torch.optim import Optimizer

SHARDED = (DistributedType.FSDP, DistributedType.DEEPSPEED)


def save_state(file: Path, state: dict[str, Any]) -> None:
    """Writes tensors and plain values; `file` is replaced as a whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(file.name + ".partial")
    torch.save(state, partial)
    partial.replace(file)


def load_state(file: Path) -> dict[str, Any] | None:
    """What `save_state` wrote, on the processor; None where there is no file."""
    if not file.exists():
        return None
    state: dict[str, Any] = torch.load(file, weights_only=True, map_location="cpu")
    return state


def _learning(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: parameter.detach() for name, parameter in module.named_parameters() if parameter.requires_grad}


def _refuse_other(identity: dict[str, object], saved: dict[str, object], folder: Path) -> None:
    wanted = json.loads(json.dumps(identity))
    differing = sorted(key for key in {*wanted, *saved} if wanted.get(key) != saved.get(key))
    if differing:
        raise ValueError(
            f"{folder} holds a run with other values of {', '.join(differing)}: "
            "use the same values again, choose another --out, or delete the folder"
        )


def save_run_state(
    accelerator: Accelerator,
    module: nn.Module,
    optimiser: Optimizer,
    folder: Path,
    identity: dict[str, object],
    step: int,
) -> None:
    """Writes what a run needs to continue after `step` steps; every process must call it."""
    facts = {"step": step, "identity": json.dumps(identity)}
    if accelerator.distributed_type not in SHARDED:
        if accelerator.is_main_process:
            learnt = _learning(accelerator.unwrap_model(module))
            save_state(folder / "state.pt", {"learnt": learnt, "optimiser": optimiser.state_dict(), **facts})
        accelerator.wait_for_everyone()
        return
    name = f"state-{step}"
    accelerator.save_state(str(folder / name))
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        partial = folder / "state.json.partial"
        partial.write_text(json.dumps({**facts, "folder": name}))
        partial.rename(folder / "state.json")
        for old in folder.glob("state-*"):
            if old.name != name:
                shutil.rmtree(old, ignore_errors=True)


def load_run_state(
    accelerator: Accelerator, module: nn.Module, optimiser: Optimizer, folder: Path, identity: dict[str, object]
) -> int:
    """Loads the state into module and optimiser and returns the steps already made; 0 where there is no state.

    Raises ValueError when the state belongs to a run with another identity.
    """
    if accelerator.distributed_type in SHARDED:
        file = folder / "state.json"
        if not file.is_file():
            return 0
        facts = json.loads(file.read_text())
        _refuse_other(identity, json.loads(facts["identity"]), folder)
        accelerator.load_state(str(folder / facts["folder"]))
        return int(facts["step"])
    state = load_state(folder / "state.pt")
    if state is None:
        return 0
    _refuse_other(identity, json.loads(state["identity"]), folder)
    parameters = dict(accelerator.unwrap_model(module).named_parameters())
    with torch.no_grad():
        for name, value in state["learnt"].items():
            parameters[name].copy_(value)
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])


def drop_run_state(folder: Path) -> None:
    """Deletes the state once the result is written: it is larger than the checkpoint."""
    for file in (folder / "state.pt", folder / "state.json"):
        file.unlink(missing_ok=True)
    for old in folder.glob("state-*"):
        shutil.rmtree(old, ignore_errors=True)
