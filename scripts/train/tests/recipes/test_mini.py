"""The recipe of the bundled model from end to end on toy data: a port, two distillations, adaptation between them."""

import json

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from llara_train.cli import nearness
from llara_train.data.json_lines import read_json_lines
from llara_train.model.encoder import load_encoder
from llara_train.teaching.lessons import read_lesson_texts
from llara_train.teaching.teachers import Teacher
from recipes.mini import __main__ as train
from recipes.mini.sizes import Recipe
from recipes.mini.stages import Stages
from tests.toys.data import toy_bert, toy_data
from tests.toys.texts import TEXTS, topic_texts

RECIPE = Recipe(
    sample=400,
    taught_passages=200,
    part_texts=128,
    processes=1,
    micro_batch=16,
    warm_up=5,
    first_epochs=3,
    first_rate=2e-3,
    head_steps=20,
    drop_frequent=2,
    adapt_steps=4,
    adapt_batch=8,
    adapt_warm_up=1,
    second_epochs=2,
    second_rate=1e-3,
)


def alike(checkpoint, teacher: Teacher) -> float:
    """Mean cosine to the teacher, both less their mean, of unseen queries and passages."""
    embed, found = load_encoder(checkpoint).embedder(200), []
    for prompt, words, half in (("ebar", 7, 0), ("ebae", 40, 1)):
        texts = topic_texts(60, words, half)
        own, wanted = (vectors - vectors.mean(0) for vectors in (embed(texts, prompt), teacher.vectors(texts).numpy()))
        found.append((own * wanted).sum(1) / np.linalg.norm(own, axis=1) / np.linalg.norm(wanted, axis=1))
    return float(np.mean(found))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(data, work, teacher's folder, final checkpoint) of one run."""
    root = tmp_path_factory.mktemp("recipe")
    data, teacher, work = toy_data(root / "data"), toy_bert(root / "teacher"), root / "work"
    return data, work, teacher, Stages(data, work, teacher, RECIPE).run()


def test_the_recipe_leaves_a_checkpoint_nearer_to_the_teacher_than_its_port(made):
    _, work, folder, final = made
    teacher = Teacher(folder)
    ported, first, last = (alike(work / f"checkpoint-{name}", teacher) for name in ("ported", "distilled", "final"))
    assert last > ported + 0.05 and first > ported + 0.05
    vectors = load_encoder(final).embedder(64)(TEXTS, "ebae")
    assert vectors.shape == (3, 32) and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_its_lessons_are_of_both_rounds(made):
    _, work, _, _ = made
    queries, passages, fresh = (
        read_lesson_texts(work / f"lessons-{name}.jsonl") for name in ("1-queries", "1-passages", "2")
    )
    assert {lesson.prompt for lesson in queries} == {"ebar"} and {lesson.prompt for lesson in passages} == {"ebae"}
    assert (len(queries), len(passages)) == (400, 200)
    assert {lesson.prompt for lesson in fresh} == {"ebar", "ebae"}
    assert any(len(lesson.text) > 450 for lesson in fresh) and not any(len(lesson.text) > 900 for lesson in passages)
    assert not {lesson.text for lesson in queries} & {lesson.text for lesson in fresh if lesson.prompt == "ebar"}
    assert len(np.load(work / "lessons-2.npy")) == len(fresh)
    assert not {lesson.text for lesson in passages} & {lesson.text for lesson in fresh}
    assert not list(work.glob("*.parts")) and not list(work.glob("*.state.pt")) and not list(work.glob("unfinished-*"))


def test_the_checkpoint_says_how_it_was_made_and_has_no_head_of_its_own(made):
    _, work, _, final = made
    facts = json.loads((final / "training.json").read_text())
    assert facts["data"] == [{"source": "arxiv", "origin": "made up", "licence": "CC0"}]
    assert [stage["name"] for stage in facts["stages"]] == [
        "port",
        "distillation, round 1",
        "LM head",
        "EBAE + EBAR adaptation",
        "distillation, round 2",
    ]
    assert facts["prompts"]["bos"] is True
    assert facts["stages"][3]["base"] == "checkpoint-head" and str(work) not in json.dumps(facts)
    adapted, whole = (LlamaForCausalLM.from_pretrained(folder) for folder in (work / "adapt/checkpoint", final))
    assert not adapted.config.tie_word_embeddings and whole.config.tie_word_embeddings
    assert torch.equal(whole.lm_head.weight, whole.model.embed_tokens.weight)
    before = LlamaForCausalLM.from_pretrained(work / "checkpoint-head").state_dict()
    changed = {name for name, weights in adapted.state_dict().items() if not torch.equal(weights, before[name])}
    assert "lm_head.weight" in changed and "model.layers.0.mlp.gate_proj.weight" in changed
    assert not any("up_proj" in name or "embed_tokens" in name for name in changed)


def test_a_second_run_skips_all(made):
    data, work, teacher, final = made
    before = {file: file.stat().st_mtime_ns for file in work.glob("**/*") if file.is_file()}
    assert Stages(data, work, teacher, RECIPE).run() == final
    assert {file: file.stat().st_mtime_ns for file in work.glob("**/*") if file.is_file()} == before


def test_the_command_takes_sizes_and_tells_a_wrong_teacher(tmp_path):
    given = train.parse(["--teacher", str(tmp_path), "--quick", "--adapt-steps", "2", "--processes", "1"])
    recipe = train.recipe_of(given)
    assert (recipe.adapt_steps, recipe.processes, recipe.sample) == (2, 1, 2_000)
    assert given.work.name == "quick"
    with pytest.raises(ValueError, match=r"config\.json"):
        train.main(["--teacher", str(tmp_path), "--data", str(tmp_path), "--work", str(tmp_path / "work")])


def test_nearness_is_measured_on_pairs_outside_the_lessons(made, capsys):
    data, work, teacher, final = made
    lessons = sorted(work.glob("lessons-*.jsonl"))
    given = ["--checkpoints", str(work / "checkpoint-ported"), str(final), "--teacher", str(teacher)]
    pairs = ["--pairs", str(data / "pairs-00.jsonl.xz"), "--count", "40"]
    assert nearness.main([*given, *pairs]) == 0
    ported, last, taught = (
        [float(cell) for cell in line.split("|")[2:5]] for line in capsys.readouterr().out.splitlines()[2:]
    )
    assert ported[0] < last[0] < 1 and taught[:2] == [1, 1] and 0 < last[2] <= 1
    known = {row["text"] for file in lessons for row in read_json_lines(file)}
    left = nearness.held_out([data / "pairs-00.jsonl.xz"], lessons[:1], 400, 1)
    first = {row["text"] for row in read_json_lines(lessons[0])}
    assert left and not first.intersection(text for pair in left for text in pair)
    assert known > first
