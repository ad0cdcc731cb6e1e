"""Makes a LLaMA of a BERT sentence encoder without a gradient (how: bert_port.py).

    python port.py --teacher FOLDER --sample sample.jsonl --data DATA --out CHECKPOINT

Leaves a Hugging Face folder, which distil.py goes on with.
"""

import argparse
import sys
from itertools import islice
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

import model_facts
from bert_port import equal_batches, ignore_prompt, port
from checkpoint import save_checkpoint
from corpus import Pair, read_json_lines
from lean_llama import stock_llama
from lessons import lesson_rows
from run import plain_errors
from templates import PAPER
from text_tokenizer import TextTokenizer
from tokenizer import BOS, EOS, PAD
from wordpiece import llama_tokenizer

FITTED_TOKENS = 128
SHOWN_TEXTS, SHOWN_TOKENS = 60, 200
MAX_POSITIONS = 1_024


def port_teacher(teacher: Path, texts: list[str], out: Path, data: Path, rope_theta: float, seed: int) -> None:
    """Leaves the port as a Hugging Face folder; `texts` are what it is fitted on."""
    torch.manual_seed(seed)
    rows = AutoTokenizer.from_pretrained(teacher)(texts, truncation=True, max_length=FITTED_TOKENS)["input_ids"]
    bert = AutoModel.from_pretrained(teacher, dtype=torch.float32)
    student, missed = port(bert, equal_batches(rows), rope_theta)
    for number, share in enumerate(missed):
        print(f"layer {number}: {100 * share:.1f} % of the teacher's stream missed", file=sys.stderr)
    tokenizer = TextTokenizer(llama_tokenizer(teacher), {"bos_token": BOS, "add_bos_token": True})
    prompts = tokenizer.prompts(PAPER)
    shown = lesson_rows(tokenizer, texts[-SHOWN_TEXTS:], prompts, "ebar", SHOWN_TOKENS)
    shown += lesson_rows(tokenizer, texts[:SHOWN_TEXTS], prompts, "ebae", SHOWN_TOKENS)
    told = ignore_prompt(student, shown, len(prompts.ebae))
    print(f"{100 * told:.1f} % of tokens told apart from the prompt's", file=sys.stderr)
    bos, eos, pad = (tokenizer.whole.token_to_id(token) for token in (BOS, EOS, PAD))
    stock = stock_llama(student, MAX_POSITIONS, bos_token_id=bos, eos_token_id=eos, pad_token_id=pad)
    facts = model_facts.of_port(data, rope_theta, sum(map(len, rows)))
    save_checkpoint(out, stock, tokenizer.whole, facts, bos=True)


def fitting_texts(pairs: list[Pair]) -> list[str]:
    """Their passages, and half of their queries."""
    return [pair.positive for pair in pairs] + [pair.query for pair in pairs[::2]]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, about in (
        ("teacher", "folder of a BERT sentence encoder"), ("sample", "JSONL of pairs: query, positive"),
        ("data", "folder whose LICENSES.md names the pairs' sources"), ("out", "folder of the checkpoint"),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=Path, required=True, help=about)
    parser.add_argument("--pairs", type=int, default=1_300, help="whose passages, and half of whose queries, are fitted on")
    parser.add_argument("--rope-theta", type=float, default=1e5)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    rows = islice(read_json_lines(given.sample), given.pairs)
    pairs = [Pair(row["query"], row["positive"], row.get("source", "")) for row in rows]
    port_teacher(given.teacher, fitting_texts(pairs), given.out, given.data, given.rope_theta, given.seed)
    return 0


if __name__ == "__main__":
    raise SystemExit(plain_errors(main))
