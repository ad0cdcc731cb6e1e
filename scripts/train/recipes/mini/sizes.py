"""The sizes of the bundled model's recipe."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Sizes of every stage. `rows_read`: most rows read of text and of pairs; `sample`: most pairs sampled;
    `second_texts`: most lessons of round two. None: all there are."""

    seed: int = 1
    rows_read: int | None = None
    sample: int | None = None
    second_texts: int | None = 60_000
    taught_passages: int = 24_576
    """Passages of the sample in round one; the others wait for round two."""
    part_texts: int = 2_048
    port_pairs: int = 1_300
    rope_theta: float = 1e5
    processes: int = 2
    micro_batch: int = 32
    warm_up: int = 60
    first_epochs: float = 2.0
    first_rate: float = 3e-4
    first_tokens: int = 200
    head_steps: int = 250
    drop_frequent: int = 50
    adapt_steps: int = 70
    adapt_batch: int = 32
    adapt_tokens: int = 96
    adapt_rate: float = 1e-4
    adapt_warm_up: int = 20
    embeddings_share: float = 1.0
    second_epochs: float = 1.0
    second_rate: float = 2e-4
    second_tokens: int = 256


QUICK = Recipe(
    rows_read=20_000,
    sample=2_000,
    second_texts=600,
    taught_passages=600,
    port_pairs=600,
    warm_up=5,
    first_epochs=1,
    head_steps=50,
    adapt_steps=5,
    adapt_warm_up=1,
)
"""Every stage in minutes on real text, to see that the recipe runs; the model is poor."""
