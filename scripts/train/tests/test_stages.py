"""The whole chain on a toy data folder, without a teacher: what it leaves behind loads and can be resumed."""

import json
import lzma

import numpy as np
from transformers import LlamaForCausalLM

from encoder import load_encoder
from stages import Recipe, Stages
from tests.toy import TEXTS

RECIPE = Recipe(
    dimensions=112,
    hidden=128,
    layers=2,
    intermediate=64,
    taught_passages=8,
    adapt_batch=2,
    adapt_steps=2,
    finetune_batch=4,
    finetune_steps=3,
)
LICENCES = """| source name in the files | where it comes from | licence |
|---|---|---|
| toy, eval/toy | made up | CC0 |
| eval/only | made up | none |
"""


def toy_data(folder):
    words = [word for text in TEXTS for word in text.split()]
    chance = np.random.default_rng(1)

    def sentence():
        return " ".join(chance.choice(words, 9)).replace(".", "") + "."

    pairs = [{"query": sentence(), "positive": sentence(), "source": "toy"} for _ in range(40)]
    documents = [{"source": "toy", "text": "Title\n" + " ".join(sentence() for _ in range(12))} for _ in range(40)]
    for name, rows in (("pairs-00", pairs), ("text-00", documents)):
        with lzma.open(folder / f"{name}.jsonl.xz", "wt") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    (folder / "LICENSES.md").write_text(LICENCES)
    return folder


def test_the_chain_leaves_a_checkpoint_and_skips_what_is_done(tmp_path):
    (tmp_path / "data").mkdir()
    data, work = toy_data(tmp_path / "data"), tmp_path / "work"
    final = Stages(data, work, None, RECIPE).run()
    vectors = load_encoder(final).embedder(64)(TEXTS, "ebae")
    assert vectors.shape == (3, 128)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    facts = json.loads((final / "training.json").read_text())
    assert facts["data"] == [{"source": "toy", "origin": "made up", "licence": "CC0"}]
    names = [stage["name"] for stage in facts["stages"]]
    assert names[-3:] == ["warm start", "EBAE + EBAR adaptation", "contrastive fine-tuning"]
    assert LlamaForCausalLM.from_pretrained(final).config.architectures == ["LlamaForCausalLM"]

    before = {file: file.stat().st_mtime_ns for file in work.glob("**/*") if file.is_file()}
    assert Stages(data, work, None, RECIPE).run() == final
    assert {file: file.stat().st_mtime_ns for file in work.glob("**/*") if file.is_file()} == before
