import pytest
import torch
from accelerate import Accelerator

from llara_train.model.lora import Lora, with_lora
from llara_train.model.source import load_source
from llara_train.running.devices.gradient_cache import TextEncoder, cached_backward
from llara_train.running.learning_rates import Rates
from llara_train.running.loop import Training, seed_step


def gradients(checkpoint, bodies, dropout, micro_tokens, direct_tokens):
    source = load_source(str(checkpoint), "paper")
    model = with_lora(source, Lora(rank=4, dropout=dropout), 1)
    torch.manual_seed(2)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.05)
    training = Training(Accelerator(cpu=True), TextEncoder(model, 1), Rates(layers=1e-3))
    training.module.train()
    seed_step(3, 0, 0)

    def loss_of(vectors):
        loss = (vectors @ vectors.T / 0.1).logsumexp(-1).sum()
        return loss, {"loss": loss.detach()}

    figures = cached_backward(training, bodies, loss_of, micro_tokens, direct_tokens)
    return figures["loss"], {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def same(one, other, tolerance=1e-4):
    return all(
        torch.allclose(one[name], other[name], atol=tolerance * max(1.0, one[name].abs().max().item())) for name in one
    )


@pytest.mark.parametrize("direct", [0, 100_000], ids=["cached", "graphs kept"])
def test_parts_equal_one_big_batch(checkpoint, bodies, direct):
    loss, whole = gradients(checkpoint, bodies, 0.0, 100_000, 0)
    in_parts, found = gradients(checkpoint, bodies, 0.0, 1, direct)
    assert torch.isclose(loss, in_parts, rtol=1e-5)
    assert whole.keys() == found.keys() and any(grad.abs().max() > 1e-3 for grad in whole.values())
    assert same(whole, found)


def test_the_second_pass_has_the_dropout_of_the_first(checkpoint, bodies, monkeypatch):
    _, kept = gradients(checkpoint, bodies, 0.4, 1, 100_000)
    _, again = gradients(checkpoint, bodies, 0.4, 1, 0)
    assert same(kept, again)
    monkeypatch.setattr("llara_train.running.devices.gradient_cache.RandomState.restore", lambda self: None)
    _, other = gradients(checkpoint, bodies, 0.4, 1, 0)
    assert not same(kept, other, 1e-3)
