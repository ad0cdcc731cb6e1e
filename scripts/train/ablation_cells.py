"""The cells of the ablation: how a condition trains, and what is measured of the result."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from corpus import read_judged_set
from encoder import Encoder, load_encoder
from evaluate import mean_ndcg, smaller

PROMPTS = {
    "right": ("ebar", "ebae"),
    "swapped": ("ebae", "ebar"),
    "EBAE on both": ("ebae", "ebae"),
    "EBAR on both": ("ebar", "ebar"),
}
"""Name -> prompt of queries, prompt of documents."""


@dataclass(frozen=True)
class Condition:
    """`adapt`: options of adapt.py beside the given ones, None for no adaptation. `prompts`: what fine-tuning uses."""

    name: str
    adapt: dict[str, float] | None
    prompts: str = "right"


ADAPTATIONS = [
    Condition("no adaptation", None),
    Condition("EBAE only", {"ebar-weight": 0}),
    Condition("EBAR only", {"ebae-weight": 0}),
    Condition("both", {}),
]
TRAINED_PROMPTS = [Condition(f"both, trained {name}", {}, name) for name in PROMPTS if name != "right"]


@dataclass(frozen=True)
class Sets:
    """Judged sets and how much of each is measured; fewer documents give higher figures."""

    folders: list[Path]
    queries: int | None = None
    documents: int | None = None
    tokens: int = 192
    names: list[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", [folder.name for folder in self.folders])


def judge(model: Path, sets: Sets, arms: list[str]) -> dict[str, dict[str, float]]:
    """nDCG@10 by arm (a name of PROMPTS) and set. Every text is embedded once with each prompt that an arm needs."""
    encoder: Encoder = load_encoder(model)
    embed = encoder.embedder(sets.tokens)
    figures: dict[str, dict[str, float]] = {arm: {} for arm in arms}
    for folder in sets.folders:
        judged = smaller(read_judged_set(folder), sets.queries, sets.documents)
        known: dict[tuple[str, str], np.ndarray] = {}

        def vectors(kind: str, prompt: str) -> np.ndarray:
            if (kind, prompt) not in known:
                known[kind, prompt] = embed(judged.queries if kind == "queries" else judged.documents, prompt)
            return known[kind, prompt]

        for arm in arms:
            asked, told = PROMPTS[arm]
            figures[arm][folder.name] = round(
                mean_ndcg(judged, vectors("queries", asked), vectors("documents", told)), 4
            )
    return figures
