"""What a run leaves: a checkpoint folder, or a peft adapter folder and, if wanted, the checkpoint with it merged in."""

import json
from pathlib import Path

import torch
from accelerate import Accelerator
from peft import PeftModel
from torch import nn

from checkpoint import finish_folder, replaced
from model_source import Source, load_source
from run_state import SHARDED


def whole_state(accelerator: Accelerator, module: nn.Module) -> dict[str, torch.Tensor]:
    """Every weight of `module.model`, gathered from all devices where sharded; every process must call it."""
    if accelerator.distributed_type in SHARDED:
        state = accelerator.get_state_dict(module)
    else:
        state = accelerator.unwrap_model(module).state_dict()
    return {name.removeprefix("model."): value for name, value in state.items() if name.startswith("model.")}


def save_model(folder: Path, model: nn.Module, state: dict[str, torch.Tensor], source: Source, facts: dict) -> None:
    """A Hugging Face folder in the dtype of the weights that the run began with."""
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


def save_adapter(folder: Path, model: PeftModel, state: dict[str, torch.Tensor], source: Source, facts: dict) -> None:
    """peft's own layout (adapter_config.json, adapter_model.safetensors) with tokenizer and training.json beside it."""
    model.peft_config["default"].base_model_name_or_path = source.name
    with replaced(folder) as partial:
        model.save_pretrained(partial, state_dict=state, save_embedding_layers=False)
        (partial / "README.md").unlink(missing_ok=True)
        source.tokenizer.save(partial)
        finish_folder(partial, facts)


def merge_adapter(base: str, template: str, adapter: Path, folder: Path, facts: dict) -> None:
    """The base with the adapter merged into its weights, as an ordinary checkpoint."""
    source = load_source(base, template, torch.float32)
    merged = PeftModel.from_pretrained(source.model, str(adapter)).merge_and_unload()
    save_model(folder, merged, merged.state_dict(), source, facts)


def save_result(
    accelerator: Accelerator, module: nn.Module, source: Source, out: Path, facts: dict, merge: bool = False
) -> Path:
    """`out`/checkpoint, or `out`/adapter (and `out`/checkpoint with `merge`); returns the one to go on with."""
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
