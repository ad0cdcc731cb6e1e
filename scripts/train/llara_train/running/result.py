"""What a run writes at its end: a checkpoint, or a peft adapter and with --merge the checkpoint with it merged in."""

import json
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from peft import PeftModel
from torch import nn
from transformers import PreTrainedModel

from llara_train.model.checkpoint_folder import finish_folder, replaced
from llara_train.model.source import Source, load_source
from llara_train.running.run_state import SHARDED


def whole_state(accelerator: Accelerator, module: nn.Module) -> dict[str, torch.Tensor]:
    """Every weight of `module.model`, gathered from all devices where sharded; every process must call it."""
    if accelerator.distributed_type in SHARDED:
        state = accelerator.get_state_dict(module)
    else:
        state = accelerator.unwrap_model(module).state_dict()
    return {name.removeprefix("model."): value for name, value in state.items() if name.startswith("model.")}


def save_model(
    folder: Path, model: PreTrainedModel, state: dict[str, torch.Tensor], source: Source, facts: dict[str, Any]
) -> None:
    """Writes a Hugging Face folder, in the dtype that the run's first checkpoint is stored in."""
    if model.config.tie_word_embeddings:
        state = {name: value for name, value in state.items() if name != "lm_head.weight"}
    state = {name: value.to(source.dtype) if value.is_floating_point() else value for name, value in state.items()}
    with replaced(folder) as partial:
        model.save_pretrained(partial, state_dict=state)
        config = json.loads((partial / "config.json").read_text())
        config["dtype"] = str(source.dtype).removeprefix("torch.")
        config["vocab_size"] = len(state["model.embed_tokens.weight"])
        (partial / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        source.tokenizer.save(partial)
        finish_folder(partial, facts)


def save_adapter(
    folder: Path, model: PeftModel, state: dict[str, torch.Tensor], source: Source, facts: dict[str, Any]
) -> None:
    """Writes peft's own layout (adapter_config.json, adapter_model.safetensors), with tokenizer and training.json."""
    model.peft_config["default"].base_model_name_or_path = source.name
    with replaced(folder) as partial:
        model.save_pretrained(partial, state_dict=state, save_embedding_layers=False)
        (partial / "README.md").unlink(missing_ok=True)
        source.tokenizer.save(partial)
        finish_folder(partial, facts)


def merge_adapter(base: str, template: str, adapter: Path, folder: Path, facts: dict[str, Any]) -> None:
    """Writes the base with the adapter merged into its weights, as an ordinary checkpoint."""
    source = load_source(base, template, torch.float32)
    merged = PeftModel.from_pretrained(source.model, str(adapter)).merge_and_unload()
    save_model(folder, merged, merged.state_dict(), source, facts)


def save_result(
    accelerator: Accelerator, module: nn.Module, source: Source, out: Path, facts: dict[str, Any], merge: bool = False
) -> Path:
    """Writes `out`/checkpoint, or `out`/adapter (with `merge` both); returns the folder to use next.

    Every process must call it.
    """
    state = whole_state(accelerator, module)
    model = accelerator.unwrap_model(module).model
    is_adapter = isinstance(model, PeftModel)
    if accelerator.is_main_process:
        if is_adapter:
            save_adapter(out / "adapter", model, state, source, facts)
            if merge:
                merge_adapter(source.name, source.template.name, out / "adapter", out / "checkpoint", facts)
        else:
            save_model(out / "checkpoint", model, state, source, facts)
    accelerator.wait_for_everyone()
    return out / ("adapter" if is_adapter and not merge else "checkpoint")
