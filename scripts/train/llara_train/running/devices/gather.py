"""Vectors of all devices, each device keeping the gradient of its own."""

import torch
from accelerate import Accelerator
from torch import Tensor


def _others(accelerator: Accelerator, own: Tensor) -> list[Tensor]:
    """Every device's rows, in order; numbers of rows may differ."""
    if accelerator.num_processes == 1:
        return [own]
    sizes = accelerator.gather(torch.tensor([len(own)], device=own.device)).tolist()
    filled = own.new_zeros((max(sizes), *own.shape[1:]))
    filled[: len(own)] = own.detach()
    every = accelerator.gather(filled).split(max(sizes))
    return [rows[:size] for rows, size in zip(every, sizes, strict=True)]


def gathered(accelerator: Accelerator, own: Tensor) -> Tensor:
    """[all devices' rows, d] in the order of the devices. Every device computes the whole loss and has the gradient of
    its own rows, so the sum of all devices' gradients is that of one device with everything."""
    parts = _others(accelerator, own)
    parts[accelerator.process_index] = own
    return torch.cat(parts)
