"""A LLaMA with biases, written for training an encoder on a processor: what a stock LLaMA would compute and throw
away is not computed.

- Blocks have no up projection: in the stock layout its weight is zero and its bias one, and SwiGLU is SiLU.
- The last layer keeps an up projection but runs on the pooled row alone; only its keys and values cover every token.

`stock_llama` gives the same numbers as a Hugging Face LLaMA (`attention_bias`, `mlp_bias`).
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

EPSILON = 1e-6


@dataclass(frozen=True)
class Shape:
    """Sizes of the model; `heads` of each layer, `mlp`: width between gate and down projection."""

    vocabulary: int
    hidden: int
    heads: int
    mlp: int
    blocks: int
    """Layers before the pooling layer."""
    rope_theta: float

    @property
    def head(self) -> int:
        """Width of a head."""
        return self.hidden // self.heads


class Norm(nn.Module):
    """RMSNorm."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden))

    def forward(self, states: Tensor) -> Tensor:
        """[..., hidden] -> the same shape."""
        return states * torch.rsqrt(states.pow(2).mean(-1, keepdim=True) + EPSILON) * self.weight


class Rotary:
    """Rotations [tokens, head] of a row's positions 0, 1, ...; numbers i and i + head / 2 of a head are one pair."""

    def __init__(self, shape: Shape, tokens: int) -> None:
        rates = shape.rope_theta ** (-torch.arange(0, shape.head, 2).float() / shape.head)
        angles = (torch.arange(tokens).float()[:, None] * rates).repeat(1, 2)
        self.cos, self.sin = angles.cos(), angles.sin()

    def all(self, heads: Tensor) -> Tensor:
        """`heads` [rows, heads, tokens, head], turned by their positions."""
        return self._turn(heads, self.cos, self.sin)

    def at(self, heads: Tensor, positions: Tensor) -> Tensor:
        """`heads` [rows, heads, 1, head], turned by one position for each row."""
        return self._turn(heads, self.cos[positions][:, None, None], self.sin[positions][:, None, None])

    @staticmethod
    def _turn(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        first, second = heads.chunk(2, -1)
        return heads * cos + torch.cat([-second, first], -1) * sin


class Layer(nn.Module):
    """A block, or with `pools` the last layer, which computes one row of each text alone."""

    def __init__(self, shape: Shape, pools: bool) -> None:
        super().__init__()
        self.shape = shape
        self.attention_norm, self.mlp_norm = Norm(shape.hidden), Norm(shape.hidden)
        self.qkv, self.output = nn.Linear(shape.hidden, 3 * shape.hidden), nn.Linear(shape.hidden, shape.hidden)
        self.gate, self.down = nn.Linear(shape.hidden, shape.mlp), nn.Linear(shape.mlp, shape.hidden)
        self.up = nn.Linear(shape.hidden, shape.mlp) if pools else None

    def heads_of(self, states: Tensor) -> Tensor:
        """[rows, tokens, n * hidden] -> [n, rows, heads, tokens, head]"""
        rows, tokens, _ = states.shape
        return states.view(rows, tokens, -1, self.shape.heads, self.shape.head).permute(2, 0, 3, 1, 4)

    def _mlp(self, states: Tensor) -> Tensor:
        entered = self.mlp_norm(states)
        active = F.silu(self.gate(entered))
        return states + self.down(active if self.up is None else active * self.up(entered))

    def forward(self, states: Tensor, rotary: Rotary) -> Tensor:
        """[rows, tokens, hidden] -> the same shape. Causal, so padding on the right needs no mask."""
        q, k, v = self.heads_of(self.qkv(self.attention_norm(states)))
        attended = F.scaled_dot_product_attention(rotary.all(q), rotary.all(k), v, is_causal=True)
        return self._mlp(states + self.output(attended.transpose(1, 2).reshape(states.shape)))

    def pooled(self, states: Tensor, ends: Tensor, rotary: Rotary) -> Tensor:
        """[rows, hidden]: the layer's output at each row's `ends` alone."""
        hidden, rows = self.shape.hidden, torch.arange(len(states))
        entered = self.attention_norm(states)
        k, v = self.heads_of(F.linear(entered, self.qkv.weight[hidden:], self.qkv.bias[hidden:]))
        q = F.linear(entered[rows, ends], self.qkv.weight[:hidden], self.qkv.bias[:hidden])
        q = rotary.at(q.view(len(states), self.shape.heads, 1, self.shape.head), ends)
        seen = (torch.arange(states.shape[1]) <= ends[:, None])[:, None, None]
        attended = F.scaled_dot_product_attention(q, rotary.all(k), v, attn_mask=seen).reshape(-1, hidden)
        return self._mlp(states[rows, ends] + self.output(attended))


class LeanLlama(nn.Module):
    """Ids to unit vectors, read at the last token."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.hidden)
        self.blocks = nn.ModuleList(Layer(shape, pools=False) for _ in range(shape.blocks))
        self.pooling = Layer(shape, pools=True)
        self.norm = Norm(shape.hidden)

    @property
    def layers(self) -> list[Layer]:
        """The blocks in order; the pooling layer comes behind them."""
        return [cast(Layer, block) for block in self.blocks]

    def states(self, ids: Tensor) -> Tensor:
        """[rows, tokens] -> [rows, tokens, hidden], before the pooling layer."""
        states, rotary = self.embedding(ids), Rotary(self.shape, ids.shape[1])
        for block in self.layers:
            states = block(states, rotary)
        return states

    def forward(self, ids: Tensor, ends: Tensor) -> Tensor:
        """Right-padded ids [rows, tokens] and the index of each row's last id [rows] -> unit rows [rows, hidden]."""
        pooled = self.pooling.pooled(self.states(ids), ends, Rotary(self.shape, ids.shape[1]))
        return F.normalize(self.norm(pooled), dim=-1)


def stock_llama(
    model: LeanLlama, max_positions: int, head: Tensor | None = None, **special_ids: int | None
) -> LlamaForCausalLM:
    """The same model in the stock layout; its LM head is `head` [vocabulary, hidden], or the embedding table."""
    shape = model.shape
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.mlp,
        num_hidden_layers=shape.blocks + 1,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=max_positions,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        rms_norm_eps=EPSILON,
        attention_bias=True,
        mlp_bias=True,
        tie_word_embeddings=head is None,
        **special_ids,
    )
    stock = LlamaForCausalLM(config)
    with torch.no_grad():
        stock.model.embed_tokens.weight.copy_(model.embedding.weight)
        stock.model.norm.weight.copy_(model.norm.weight)
        if head is not None:
            stock.lm_head.weight.copy_(head)
        for given, layer in zip([*model.layers, model.pooling], stock.model.layers, strict=True):
            _copy_layer(given, layer)
    return stock


@torch.no_grad()
def lean_llama(stock: LlamaForCausalLM) -> LeanLlama:
    """The inverse of `stock_llama`, without the LM head. Raises ValueError when a block's up projection has learnt."""
    config, model = stock.config, stock.model
    shape = Shape(
        config.vocab_size,
        config.hidden_size,
        config.num_attention_heads,
        config.intermediate_size,
        config.num_hidden_layers - 1,
        config.rope_parameters["rope_theta"],
    )
    lean = LeanLlama(shape)
    lean.embedding.weight.copy_(model.embed_tokens.weight)
    lean.norm.weight.copy_(model.norm.weight)
    for layer, own in zip(model.layers, [*lean.layers, lean.pooling], strict=True):
        up = layer.mlp.up_proj
        if own.up is None and (up.weight.any() or (up.bias != 1).any()):
            raise ValueError(
                "the checkpoint is not a port, or an up projection was trained: "
                "start from one that llara-train port made, and adapt it with --freeze up_proj"
            )
        attention = layer.self_attn
        own.attention_norm.weight.copy_(layer.input_layernorm.weight)
        own.mlp_norm.weight.copy_(layer.post_attention_layernorm.weight)
        read = (attention.q_proj, attention.k_proj, attention.v_proj)
        own.qkv.weight.copy_(torch.cat([projection.weight for projection in read]))
        own.qkv.bias.copy_(torch.cat([projection.bias for projection in read]))
        pairs = [(attention.o_proj, own.output), (layer.mlp.gate_proj, own.gate), (layer.mlp.down_proj, own.down)]
        for source, target in pairs + ([(up, own.up)] if own.up is not None else []):
            target.weight.copy_(source.weight)
            target.bias.copy_(source.bias)
    return lean


def _copy_layer(given: Layer, layer: LlamaDecoderLayer) -> None:
    attention, mlp = layer.self_attn, layer.mlp
    layer.input_layernorm.weight.copy_(given.attention_norm.weight)
    layer.post_attention_layernorm.weight.copy_(given.mlp_norm.weight)
    weights, biases = given.qkv.weight.chunk(3), given.qkv.bias.chunk(3)
    for i, projection in enumerate((attention.q_proj, attention.k_proj, attention.v_proj)):
        projection.weight.copy_(weights[i])
        projection.bias.copy_(biases[i])
    mlp.up_proj.weight.zero_()
    mlp.up_proj.bias.fill_(1)
    pairs = [(given.output, attention.o_proj), (given.gate, mlp.gate_proj), (given.down, mlp.down_proj)]
    for source, projection in pairs + ([(given.up, mlp.up_proj)] if given.up is not None else []):
        projection.weight.copy_(source.weight)
        projection.bias.copy_(source.bias)
