"""A process's share of a batch in parts that fit the memory, the same number of parts on every process."""

import numpy as np
import torch
from accelerate import Accelerator

from llara_train.model.padding import micro_batches


def agreed_micro_batches(
    accelerator: Accelerator, lengths: np.ndarray, max_tokens: int
) -> list[tuple[np.ndarray, bool]]:
    """(indices, counted): parts of about `max_tokens` padded ids. Sharded weights travel with every forward pass, so
    a process with fewer parts repeats its first, uncounted."""
    parts = [(part, True) for part in micro_batches(lengths, max_tokens)]
    if accelerator.num_processes > 1:
        count = torch.tensor([len(parts)], device=accelerator.device)
        most = int(accelerator.gather(count).max())
        parts += [(parts[0][0][:1], False)] * (most - len(parts))
    return parts
