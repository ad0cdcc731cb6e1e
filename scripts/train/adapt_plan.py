"""What an adaptation is asked to do, apart from data and model."""

from dataclasses import dataclass

from adaptation import Weights
from rates import Rates


@dataclass(frozen=True)
class AdaptPlan:
    """`batch`: examples a step over all devices. `micro_tokens`: padded ids of a forward pass on one device.
    `drop_frequent`: that many most frequent ids are no targets (stop words)."""

    steps: int
    batch: int
    rates: Rates
    weights: Weights = Weights()
    micro_tokens: int = 8_192
    seed: int = 0
    drop_frequent: int = 0
