"""The port of a BERT, the lean LLaMA and the distillation, on a tiny random BERT."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F
from transformers import BertConfig, BertModel

from llara_train.porting.bert_transfer import equal_batches, ignore_prompt, port, teacher_states
from llara_train.porting.lean_llama import LeanLlama, lean_llama, stock_llama
from llara_train.teaching.lessons import Lessons
from llara_train.training.from_lessons import Distillation, Options

PROMPT = [3, 4, 2]
VOCABULARY = 200


def random_rows(count: int, seed: int) -> list[list[int]]:
    chance = torch.Generator().manual_seed(seed)
    lengths = torch.randint(6, 14, (count,), generator=chance)
    return [[1, *torch.randint(5, VOCABULARY, (int(n),), generator=chance).tolist()] for n in lengths]


@pytest.fixture(scope="module")
def bert() -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=80,
        attn_implementation="eager",
    )
    model = BertModel(config).eval()
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "dense.weight" in name or ("self" in name and weights.ndim == 2):
                weights.mul_(6)
    return model


@pytest.fixture(scope="module")
def ported(bert: BertModel) -> LeanLlama:
    torch.manual_seed(1)
    student, _ = port(bert, equal_batches(random_rows(600, 1)), 1e5)
    ignore_prompt(student, [row + PROMPT for row in random_rows(20, 2)], len(PROMPT))
    return student


def wanted(bert: BertModel, rows: list[list[int]]) -> torch.Tensor:
    return torch.stack([teacher_states(bert, torch.tensor([row])).after[-1][0].mean(0) for row in rows])


def alike(student: LeanLlama, lessons: Lessons) -> float:
    with torch.no_grad():
        vectors = student(*lessons.padded(list(range(len(lessons)))))
    centre = lessons.wanted.mean(0)
    return F.cosine_similarity(vectors - centre, lessons.wanted - centre).mean().item()


def test_a_port_is_near_its_teacher_without_a_gradient(bert, ported):
    rows = random_rows(60, 3)
    lessons = Lessons([row + PROMPT for row in rows], wanted(bert, rows))
    untrained = LeanLlama(ported.shape)
    assert alike(ported, lessons) > 0.5
    assert alike(untrained, lessons) < 0.3


def test_distillation_closes_the_gap_and_resumes(bert, ported, tmp_path):
    rows = random_rows(640, 4)
    lessons = Lessons([row + PROMPT for row in rows], wanted(bert, rows))
    options = Options(epochs=4, rate=2e-3, warm_up=5, micro_batch=16, bank=64, save_every_s=1e9)

    def trained(name: str, stop: int | None) -> LeanLlama:
        torch.manual_seed(5)
        student = LeanLlama(ported.shape)
        student.load_state_dict(ported.state_dict())
        run = Distillation(student, lessons, options, tmp_path / name)

        def report(step: int, _steps: int, _distance: float, _ranking: float) -> None:
            if step == stop:
                run.save()
                raise KeyboardInterrupt

        run.run(report)
        return student

    whole = trained("whole", None)
    held = random_rows(60, 6)
    unseen = Lessons([row + PROMPT for row in held], wanted(bert, held))
    assert 1 - alike(whole, unseen) < 0.8 * (1 - alike(ported, unseen))
    with pytest.raises(KeyboardInterrupt):
        trained("parts", 30)
    resumed = trained("parts", None)
    for name, weights in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], weights, rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match="other lessons or options"):
        Distillation(resumed, lessons, replace(options, rate=1e-3), tmp_path / "parts")


def test_the_stock_layout_gives_the_same_vectors(ported):
    torch.manual_seed(7)
    student = LeanLlama(ported.shape)
    with torch.no_grad():
        for weights in student.parameters():
            weights.add_(0.1 * torch.randn_like(weights))
    stock = stock_llama(student, 64).eval()
    rows = [row + PROMPT for row in random_rows(8, 8)]
    with torch.no_grad():
        lean = student(*Lessons(rows, torch.ones(8, 32)).padded(list(range(8))))
        for row, vector in zip(rows, lean, strict=True):
            state = stock.model(input_ids=torch.tensor([row])).last_hidden_state[0, -1]
            torch.testing.assert_close(F.normalize(state, dim=0), vector, rtol=0, atol=1e-5)
    back = lean_llama(stock)
    assert all(torch.equal(weights, student.state_dict()[name]) for name, weights in back.state_dict().items())
    with torch.no_grad():
        stock.model.layers[0].mlp.up_proj.bias[3] += 0.1
    with pytest.raises(ValueError, match="freeze up_proj"):
        lean_llama(stock)
