"""LLaRA: adapts LLaMA-family models to dense retrieval.

The method is that of the paper "Llama2Vec: Unsupervised Adaptation of Large Language Models for Dense Retrieval"
(ACL 2024), first published as "LLaRA"; "the paper" in this package means that one. An embedding is read at a special
token behind the text, under one of two prompts:

- EBAE, embedding-based auto-encoding: the embedding must name the tokens of the text itself. Used for documents.
- EBAR, embedding-based auto-regression: the embedding must name the tokens of the text that follows. Used for queries.

Rooms, from the ground up: `model` (checkpoints, tokenizers, prompts, encoding), `data` (text and pairs on disk),
`objectives` (losses), `running` (loop, state, devices), `mining` (hard negatives), `evaluation`, `teaching` (teachers
and their vectors), `porting` (a LLaMA made from a BERT), `training` (what a training step does), `cli` (the commands).
"""
