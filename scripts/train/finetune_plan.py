"""What a fine-tuning is asked to do, apart from data and model."""

from dataclasses import dataclass

from contrast import Objective
from rates import Rates


@dataclass(frozen=True)
class FinetunePlan:
    """`batch`: queries a step over all devices, each with `negatives` hard negatives. Token limits are with the prompt.
    `micro_tokens`: padded ids of a forward pass on one device; `direct_tokens`: a batch of at most so many keeps its
    graphs, which saves the second forward pass of gradient caching. Prompts are EBAR for queries and EBAE for documents;
    the ablation tries others."""

    steps: int
    batch: int
    rates: Rates
    objective: Objective = Objective()
    negatives: int = 0
    query_tokens: int = 64
    passage_tokens: int = 160
    micro_tokens: int = 8_192
    direct_tokens: int = 0
    seed: int = 0
    query_prompt: str = "ebar"
    document_prompt: str = "ebae"
