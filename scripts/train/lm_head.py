"""Gives a distilled checkpoint an LM head to be adapted through: fitted on the teacher's vectors of passages, so that
each vector names the tokens of its passage.

    python lm_head.py --model CHECKPOINT --lessons passages.jsonl --out CHECKPOINT
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

import model_facts
import options
from bag_of_words import target_set
from checkpoint import save_checkpoint
from encoder import last_states, padded, with_prompt
from fit_head import fit_head
from lean_llama import lean_llama, stock_llama
from lessons import LessonText, read_lesson_texts, read_vectors
from model_source import Source, load_source
from run import plain_errors

MEASURED_TEXTS = 64


def fitted_head(
    source: Source, texts: list[LessonText], vectors: np.ndarray, steps: int, tokens: int, drop_frequent: int, seed: int
) -> Tensor:
    """[vocabulary, hidden] for unit vectors.

    Args:
        vectors: the teacher's, [texts, hidden].
        tokens: of each text that count as its targets.
        drop_frequent: so many most frequent ids are no targets.
    """
    bodies = [np.array(ids) for ids in source.tokenizer.encode([text.text for text in texts], tokens)]
    counts = np.bincount(np.concatenate(bodies))
    frequent = np.argsort(-counts, kind="stable")[:drop_frequent]
    left_out = source.tokenizer.special_ids() | frozenset(int(i) for i in frequent)
    bags = [target_set(body, left_out, unique=False) for body in bodies]
    kept = [i for i, bag in enumerate(bags) if len(bag)]
    if not kept:
        raise ValueError("no passage has a token to be named; a smaller --drop-frequent leaves some")
    wanted = F.normalize(torch.from_numpy(vectors[kept].astype(np.float32)), dim=-1)

    def report(step: int, loss: float) -> None:
        if step % 50 == 0 or step == steps:
            print(f"LM head, step {step}/{steps}: {loss:.3f}", file=sys.stderr, flush=True)

    size = source.model.config.vocab_size
    return fit_head(wanted, [bags[i] for i in kept], size, steps, seed=seed, report=report)


@torch.no_grad()
def mean_length(source: Source, texts: list[str], tokens: int) -> float:
    """Of the states at `</s>` before they are brought to unit length, with the EBAE prompt."""
    prompts = source.prompts
    around = len(prompts.prefix) + len(prompts.ebae)
    bodies = source.tokenizer.encode(texts, tokens)
    rows = [with_prompt(np.array(body, np.int64), prompts.ebae, tokens + around, prompts.prefix) for body in bodies]
    return last_states(source.model.eval(), *padded(rows), prompts.pooled).norm(dim=-1).mean().item()


def save_with_head(out: Path, source: Source, head: Tensor, passages: int, steps: int) -> None:
    """The checkpoint of a lean model with an LM head; its training.json says what the head was fitted on."""
    config = source.model.config
    ids = {f"{name}_token_id": getattr(config, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    stock = stock_llama(lean_llama(source.model), config.max_position_embeddings, head, **ids)
    facts = model_facts.with_stage(source.facts, "LM head", passages=passages, steps=steps)
    save_checkpoint(out, stock, source.tokenizer.whole, facts, bos=source.tokenizer.bos is not None)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder that distil.py made")
    parser.add_argument("--lessons", type=options.existing_file, required=True, metavar="FILE", help="with vectors beside it")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--steps", type=options.positive, default=300)
    parser.add_argument("--tokens", type=options.positive, default=200)
    parser.add_argument("--drop-frequent", type=int, default=50, help="so many most frequent ids are no targets")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    given = parse(arguments)
    source = load_source(given.model, None, torch.float32)
    texts = read_lesson_texts(given.lessons)
    vectors = read_vectors(given.lessons, len(texts))
    head = fitted_head(source, texts, vectors, given.steps, given.tokens, given.drop_frequent, given.seed)
    head /= mean_length(source, [text.text for text in texts[:MEASURED_TEXTS]], given.tokens)
    save_with_head(given.out, source, head, passages=len(texts), steps=given.steps)
    return 0


if __name__ == "__main__":
    raise SystemExit(plain_errors(main))
