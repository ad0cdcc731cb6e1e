"""A LLaMA that starts as a BERT sentence encoder: causal, rotary, norms before the layers, read at `</s>`.

The two differ in four things, and each is bridged on real text, layer by layer, without a gradient:

- norms: BERT normalises the stream after each sum, LLaMA only what it reads. Each write to the stream is fitted by
  least squares so that the stream comes near BERT's normalised one, up to a factor that the next norm takes out.
- GELU: x sigmoid(1.702 x), its usual approximation, is SiLU of a scaled gate.
- positions: BERT's are left out but for their mean; head bases are turned so that rotary ones disturb little.
- direction: BERT looks both ways. The fit sees the causal student's own states, so what context to the left can tell
  is made up for; the rest is left to the distillation.

A last layer averages the text's tokens at `</s>`, as BERT's mean pooling does, and ignores the prompt's words.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import BertModel
from transformers.models.bert.modeling_bert import BertSelfAttention

from llara_train.porting.head_basis import balanced_basis
from llara_train.porting.lean_llama import EPSILON, Layer, LeanLlama, Rotary, Shape
from llara_train.porting.least_squares import fit_scale, fit_write

GELU_SLOPE = 1.702
READ_SCALE = 30.0
"""Factor of the average over what the stream at `</s>` held before."""
PROMPT_LOGITS = 4.0
MEAN_POSITIONS = 64
BASIS_TOKENS = 20_000


class TeacherStates(NamedTuple):
    """BERT's normalised stream of one batch: after attention and after the MLP, a layer each [rows, tokens, hidden]."""

    between: list[Tensor]
    after: list[Tensor]


def shape_of(bert: BertModel, rope_theta: float) -> Shape:
    """The sizes of the LLaMA that a BERT becomes."""
    c = bert.config
    sizes = (c.vocab_size, c.hidden_size, c.num_attention_heads, c.intermediate_size, c.num_hidden_layers)
    return Shape(*sizes, rope_theta)


@torch.inference_mode()
def teacher_states(bert: BertModel, ids: Tensor) -> TeacherStates:
    """BERT's stream of equally long rows of ids [rows, tokens]."""
    between: list[Tensor] = []
    hooks = [
        layer.attention.output.register_forward_hook(lambda _module, _given, out: between.append(out))
        for layer in bert.encoder.layer
    ]
    try:
        after = bert(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True).hidden_states
    finally:
        for hook in hooks:
            hook.remove()
    return TeacherStates(between, list(after[1:]))


def _flat(parts: list[Tensor]) -> Tensor:
    return torch.cat([part.reshape(-1, part.shape[-1]) for part in parts])


def _normed(states: Tensor) -> Tensor:
    return states * torch.rsqrt(states.pow(2).mean(-1, keepdim=True) + EPSILON)


@torch.no_grad()
def port(bert: BertModel, batches: list[Tensor], rope_theta: float) -> tuple[LeanLlama, list[float]]:
    """Ports a BERT: the LLaMA, and for each layer the share of the stream's variance that it misses.

    Args:
        batches: ids [rows, tokens] as BERT takes them, rows of a batch equally long, so nothing is padding. Some
            100,000 tokens in all: a fit has as many unknowns a dimension as the MLP is wide.
    """
    bert.eval()
    student = LeanLlama(shape_of(bert, rope_theta))
    states = [teacher_states(bert, ids) for ids in batches]
    student.embedding.weight.copy_(_token_table(bert))
    streams = [student.embedding(ids) for ids in batches]
    before, missed = list(streams), []
    for number, (layer, source) in enumerate(zip(student.layers, bert.encoder.layer, strict=True)):
        between = [state.between[number] for state in states]
        _port_attention(layer, source.attention.self, streams, before)
        attended = [_attended(layer, stream) for stream in streams]
        streams = _write(layer.output, attended, streams, between)
        after = [state.after[number] for state in states]
        _port_gate(layer, source.intermediate.dense, streams, between)
        active = [F.silu(layer.gate(layer.mlp_norm(stream))) for stream in streams]
        streams = _write(layer.down, active, streams, after)
        left = _flat(after) - _rescaled(_flat(streams), _flat(after))
        missed.append((left.pow(2).sum() / (_flat(after) - _flat(after).mean(0)).pow(2).sum()).item())
        before = after
    _average(student, *fit_scale(_normed(_flat(streams)), _flat(before)))
    return student, missed


def _token_table(bert: BertModel) -> Tensor:
    embeddings = bert.embeddings
    positions = embeddings.position_embeddings.weight[1 : MEAN_POSITIONS + 1].mean(0)
    kind = embeddings.token_type_embeddings.weight[0]
    return embeddings.LayerNorm(embeddings.word_embeddings.weight + kind + positions)


def _write(linear: nn.Linear, features: list[Tensor], streams: list[Tensor], wanted: list[Tensor]) -> list[Tensor]:
    fitted = fit_write(_flat(features), _flat(streams), _flat(wanted))
    linear.weight.copy_(fitted.weight)
    linear.bias.copy_(fitted.bias)
    return [stream + linear(feature) for stream, feature in zip(streams, features, strict=True)]


def _rescaled(stream: Tensor, wanted: Tensor) -> Tensor:
    return stream * ((stream * wanted).sum() / stream.pow(2).sum())


def _read_through(source: nn.Linear, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Weight and bias of `source` for an input whose constant part `bias` was taken off."""
    return source.weight.clone(), source.bias + source.weight @ bias


def _port_attention(layer: Layer, source: BertSelfAttention, streams: list[Tensor], wanted: list[Tensor]) -> None:
    shape, normed = layer.shape, _normed(_flat(streams))
    weight, constant = fit_scale(normed, _flat(wanted))
    layer.attention_norm.weight.copy_(weight)
    q, q_bias = _read_through(source.query, constant)
    k, k_bias = _read_through(source.key, constant)
    v, v_bias = _read_through(source.value, constant)
    entered = (normed * weight)[torch.randperm(len(normed))[:BASIS_TOKENS]]
    for head in range(shape.heads):
        rows = slice(head * shape.head, (head + 1) * shape.head)
        keys = entered @ k[rows].T + k_bias[rows]
        k_bias[rows] -= keys.mean(0)
        queries = entered @ q[rows].T + q_bias[rows]
        of_queries, of_keys = balanced_basis(queries, keys - keys.mean(0))
        q[rows], q_bias[rows] = of_queries.T @ q[rows], of_queries.T @ q_bias[rows]
        k[rows], k_bias[rows] = of_keys.T @ k[rows], of_keys.T @ k_bias[rows]
    layer.qkv.weight.copy_(torch.cat([q, k, v]))
    layer.qkv.bias.copy_(torch.cat([q_bias, k_bias, v_bias]))


def _attended(layer: Layer, stream: Tensor) -> Tensor:
    rotary = Rotary(layer.shape, stream.shape[1])
    q, k, v = layer.heads_of(layer.qkv(layer.attention_norm(stream)))
    attended = F.scaled_dot_product_attention(rotary.all(q), rotary.all(k), v, is_causal=True)
    return attended.transpose(1, 2).reshape(stream.shape)


def _port_gate(layer: Layer, source: nn.Linear, streams: list[Tensor], wanted: list[Tensor]) -> None:
    weight, constant = fit_scale(_normed(_flat(streams)), _flat(wanted))
    layer.mlp_norm.weight.copy_(weight)
    gate, bias = _read_through(source, constant)
    layer.gate.weight.copy_(GELU_SLOPE * gate)
    layer.gate.bias.copy_(GELU_SLOPE * bias)


def _average(student: LeanLlama, weight: Tensor, bias: Tensor) -> None:
    """The pooling layer: uniform attention, values as BERT's last states, an MLP that adds nothing yet."""
    hidden, layer = student.shape.hidden, student.pooling
    layer.qkv.weight.zero_()
    layer.qkv.bias.zero_()
    layer.qkv.weight[2 * hidden :] = torch.diag(weight)
    layer.qkv.bias[2 * hidden :] = bias
    layer.output.weight.copy_(READ_SCALE * torch.eye(hidden))
    layer.output.bias.zero_()
    layer.down.weight.zero_()
    layer.down.bias.zero_()


@torch.no_grad()
def ignore_prompt(student: LeanLlama, rows: list[list[int]], prompt_tokens: int) -> float:
    """Turns the pooling layer's keys so that the last `prompt_tokens` of a row weigh little.

    Args:
        rows: ids of texts with their prompt.

    Returns:
        The share of tokens that the fitted direction tells apart.
    """
    shape, layer = student.shape, student.pooling
    states = [_normed(student.states(torch.tensor([row]))[0]) for row in rows]
    labels = [torch.cat([torch.ones(len(row) - prompt_tokens), -torch.ones(prompt_tokens)]) for row in rows]
    features = torch.cat([torch.cat(states), torch.ones(sum(map(len, rows)), 1)], 1)
    label = torch.cat(labels)
    solved = torch.linalg.solve(features.T @ features + torch.eye(features.shape[1]), features.T @ label)
    for head in range(shape.heads):
        slowest = head * shape.head + shape.head // 2 - 1
        layer.qkv.weight[shape.hidden + slowest] = solved[:-1] / layer.attention_norm.weight
        layer.qkv.bias[shape.hidden + slowest] = solved[-1]
        layer.qkv.bias[slowest] = PROMPT_LOGITS / 2 * shape.head**0.5
    return ((features @ solved > 0) == (label > 0)).float().mean().item()


def equal_batches(rows: list[list[int]], max_tokens: int = 4_096) -> list[Tensor]:
    """Rows of ids in batches of equally long ones, [rows, tokens], with at most about `max_tokens` ids."""
    by_length: dict[int, list[list[int]]] = {}
    for row in rows:
        by_length.setdefault(len(row), []).append(row)
    return [
        torch.tensor(alike[i : i + max(1, max_tokens // length)])
        for length, alike in sorted(by_length.items())
        for i in range(0, len(alike), max(1, max_tokens // length))
    ]
