"""The cells of the ablation: how a condition trains, and what is measured of the result."""

from dataclasses import dataclass, field
from pathlib import Path

from llara_train.data.judged_sets import read_judged_set, smaller
from llara_train.evaluation.ndcg import mean_ndcg
from llara_train.model.encoder import Encoder, load_encoder

PROMPTS = {
    "right": ("ebar", "ebae"),
    "swapped": ("ebae", "ebar"),
    "EBAE on both": ("ebae", "ebae"),
    "EBAR on both": ("ebar", "ebar"),
}
"""Name -> prompt of queries, prompt of documents."""


@dataclass(frozen=True)
class Condition:
    """`adapt`: more options of the command, None for no adaptation. `prompts`: what fine-tuning uses."""

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
        needed = [PROMPTS[arm] for arm in arms]
        queries = {prompt: embed(judged.queries, prompt) for prompt in dict.fromkeys(pair[0] for pair in needed)}
        documents = {prompt: embed(judged.documents, prompt) for prompt in dict.fromkeys(pair[1] for pair in needed)}
        for arm in arms:
            query_prompt, document_prompt = PROMPTS[arm]
            figure = mean_ndcg(judged, queries[query_prompt], documents[document_prompt])
            figures[arm][folder.name] = round(figure, 4)
    return figures
