"""A LLaMA that starts as exactly the mean of its token embeddings (reference small-models.md, fact 2).

RMSNorm would erase the vectors' lengths, which carry the tokens' weight, so each embedding gets filler dimensions
that bring all to one length. The LAST layer then averages: zero queries (uniform causal attention, which the random
keys let learn), values and output the identity on the real dimensions. The layers before it add nothing yet (zero output and down
projections); placed there they can learn to bring context into the tokens before these are averaged.
"""

import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

HEAD_DIMENSIONS = 64


def small_llama_config(
    vocabulary: int,
    hidden: int,
    layers: int,
    intermediate: int,
    eos: int,
    bos: int,
    pad: int,
    max_positions: int = 1_024,
) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        intermediate_size=intermediate,
        num_attention_heads=hidden // HEAD_DIMENSIONS,
        num_key_value_heads=hidden // HEAD_DIMENSIONS,
        head_dim=HEAD_DIMENSIONS,
        max_position_embeddings=max_positions,
        rms_norm_eps=1e-6,
        tie_word_embeddings=True,
        bos_token_id=bos,
        eos_token_id=eos,
        pad_token_id=pad,
        use_cache=False,
    )


def with_filler(vectors: Tensor, hidden: int) -> Tensor:
    """[vocabulary, real] -> [vocabulary, hidden]: rows of one length, sqrt(hidden), the rest in filler dimensions."""
    real = vectors.shape[1]
    vectors = vectors * (hidden**0.5 / (vectors.norm(dim=1).max() * 1.001))
    missing = (hidden - vectors.square().sum(dim=1)).clamp_min(0)
    filler = (missing / (hidden - real)).sqrt().unsqueeze(1).expand(-1, hidden - real)
    return torch.cat([vectors, filler], dim=1)


@torch.no_grad()
def warm_started_llama(vectors: Tensor, config: LlamaConfig, seed: int, pooled_gain: float = 8.0) -> LlamaForCausalLM:
    """`vectors` [vocabulary, real dimensions], the row of `</s>` zero. `pooled_gain` scales the average beside the
    filler left at `</s>`; the embedding does not depend on it."""
    torch.manual_seed(seed)
    model = LlamaForCausalLM(config).float()
    real = torch.zeros(config.hidden_size)
    real[: vectors.shape[1]] = 1
    model.model.embed_tokens.weight.copy_(with_filler(vectors, config.hidden_size))
    for layer in model.model.layers:
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
    pool = model.model.layers[-1].self_attn
    pool.q_proj.weight.zero_()
    pool.v_proj.weight.copy_(torch.diag(real))
    pool.o_proj.weight.copy_(torch.diag(real) * pooled_gain)
    model.model.norm.weight.copy_(real)
    return model
