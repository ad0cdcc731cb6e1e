"""Training pairs with the hard negatives that a checkpoint finds for them."""

from collections.abc import Iterator
from typing import Any

import torch

from llara_train.data.layouts import PairRow
from llara_train.mining.hard_negatives import Guards, Passages, hard_negatives, ranked
from llara_train.model.encoder import Encoder

PASSAGES_AT_ONCE = 8_192


def mine(
    encoder: Encoder,
    rows: list[PairRow],
    passages: Passages,
    count: int,
    depth: int,
    guards: Guards,
    query_tokens: int = 64,
    passage_tokens: int = 160,
) -> Iterator[dict[str, Any]]:
    """Rows of JSONL in our own layout, in the order given. Passages are embedded block by block.

    Args:
        count: most negatives of a query.
        depth: ranks that are looked at.
        query_tokens, passage_tokens: lengths that texts are cut at, prompt included.
    """
    device = next(encoder.model.parameters()).device
    embed_query, embed_passage = encoder.embedder(query_tokens), encoder.embedder(passage_tokens)
    queries = torch.from_numpy(embed_query([row.query for row in rows], "ebar")).to(device)
    parts = (passages.texts[i : i + PASSAGES_AT_ONCE] for i in range(0, len(passages.texts), PASSAGES_AT_ONCE))
    blocks = (torch.from_numpy(embed_passage(part, "ebae")).to(device) for part in parts)
    best = ranked(rows, queries, blocks, passages, depth)
    for row, mined in zip(rows, hard_negatives(rows, passages, best, count, guards), strict=True):
        for positive in row.positives:
            yield {
                "query": row.query,
                "positive": positive,
                "source": row.source,
                "title": row.title,
                "negatives": [passages.texts[number] for number in mined.numbers],
                "scores": [round(score, 5) for score in mined.scores],
                "positive_score": round(mined.positive_score, 5),
            }
