"""What one joint pass saves against two separate passes: time measured here, operations computed."""

import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from transformers import PretrainedConfig

from llara_train.model.encoder import last_states
from llara_train.model.joint_pass import joint_batch, joint_states
from llara_train.model.padding import padded, with_prompt
from llara_train.model.source import Source

LENGTHS = (44, 139, 512)


@dataclass(frozen=True)
class Shape:
    """What the count of operations needs to know of a LLaMA."""

    layers: int
    hidden: int
    intermediate: int
    query_width: int
    key_width: int

    @classmethod
    def of(cls, config: PretrainedConfig) -> "Shape":
        """The shape that a checkpoint's configuration describes."""
        head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        widths = (config.num_attention_heads * head, config.num_key_value_heads * head)
        return cls(config.num_hidden_layers, config.hidden_size, config.intermediate_size, *widths)


LLAMA_2_7B = Shape(layers=32, hidden=4_096, intermediate=11_008, query_width=4_096, key_width=4_096)


def operations(shape: Shape, tokens: int, seen_pairs: int) -> int:
    """Operations of a forward pass without embeddings and head.

    Two for each weight and token; four for each query dimension and each pair of positions of which one sees the other.
    """
    weights = shape.hidden * (2 * shape.query_width + 2 * shape.key_width + 3 * shape.intermediate)
    return shape.layers * (2 * weights * tokens + 4 * shape.query_width * seen_pairs)


def joint_share(shape: Shape, body: int, own: int, following: int) -> float:
    """Operations of the joint pass over those of the two separate ones. `body` with the prefix, in tokens."""

    def alone(tokens: int) -> int:
        return operations(shape, tokens, tokens * (tokens + 1) // 2)

    whole = body + own + following
    joint = operations(shape, whole, whole * (whole + 1) // 2 - own * following)
    return joint / (alone(body + own) + alone(body + following))


@torch.no_grad()
def measured_share(source: Source, body: int, rows: int = 8, repeats: int = 7) -> tuple[float, float]:
    """(joint pass over the two separate passes, seconds of the joint pass): medians of alternating runs."""
    chance, prompts, model = np.random.default_rng(body), source.prompts, source.model.eval()
    bodies = [chance.integers(10, source.tokenizer.size, body - len(prompts.prefix)) for _ in range(rows)]
    joint = joint_batch(bodies, prompts)
    apart = [
        padded([with_prompt(ids, suffix, body + len(suffix), prompts.prefix) for ids in bodies])
        for suffix in (prompts.ebae, prompts.ebar)
    ]
    runs = {
        "joint": lambda: joint_states(model, joint),
        "apart": lambda: [last_states(model, *batch, prompts.pooled) for batch in apart],
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(repeats + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if repeat:  # the first warms up
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return medians["joint"] / medians["apart"], medians["joint"]


class JointCost(NamedTuple):
    """Cost of the joint pass as a share of two separate passes: operations of this model and of LLaMA-2-7B, and time.

    `tokens` of text; `seconds_joint`: of one joint pass.
    """

    tokens: int
    operations: float
    operations_7b: float
    time: float
    seconds_joint: float


def joint_costs(source: Source, lengths: Iterable[int]) -> Iterator[JointCost]:
    """The cost at each length of text, in tokens; lengths that the model has no positions for are left out."""
    around = len(source.prompts.ebae), len(source.prompts.ebar)
    shape, positions = Shape.of(source.model.config), source.model.config.max_position_embeddings
    for tokens in lengths:
        if tokens + sum(around) <= positions:
            time_share, seconds = measured_share(source, tokens)
            computed = joint_share(shape, tokens, *around), joint_share(LLAMA_2_7B, tokens, *around)
            yield JointCost(tokens, *computed, time_share, seconds)
