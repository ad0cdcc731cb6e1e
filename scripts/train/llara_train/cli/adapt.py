"""Adapts a LLaMA to dense retrieval on plain text (LLaRA; the paper is Llama2Vec, ACL 2024, section 3).

    llara-train adapt --model meta-llama/Llama-2-7b-hf --data wikipedia.jsonl.xz --out runs/adapted

Two objectives train the embedding. EBAE, embedding-based auto-encoding: it must name the tokens of the text it was read
from. EBAR, embedding-based auto-regression: it must name the tokens of the chunk that follows. Both come from one joint
pass: a single forward pass over the text with both prompts behind it, which do not see each other.

Writes OUT/checkpoint (a Hugging Face folder; with --lora OUT/adapter), OUT/losses.jsonl and OUT/losses.png. If it was
stopped, run the same command again to continue.
"""

import argparse
from dataclasses import asdict, replace
from pathlib import Path

from llara_train.cli.parser import command_parser, existing_file, positive
from llara_train.cli.run_options import (
    add_lora,
    add_model,
    add_training,
    check_lora,
    keeping_for,
    load_dtype_of,
    lora_of,
    rates_of,
)
from llara_train.data.chunking import Chunking
from llara_train.data.examples import open_examples, prepare_examples
from llara_train.model.source import freeze, load_source
from llara_train.objectives.bag_of_words import POOLINGS
from llara_train.objectives.ebae_ebar import RELEASED_WEIGHTS, Weights
from llara_train.running.conclusion import conclude, is_concluded
from llara_train.running.devices.accelerator import accelerator_for
from llara_train.running.result import save_result
from llara_train.training.from_text import AdaptPlan, adapt, adaptation_facts

CHUNK_SIZES = {"words": 500, "sentences": 4}
"""By default, words of a chunk, or most sentences of one."""


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options, with `plan`, `chunking`, `lora` and `load_dtype` made from them."""
    parser = command_parser("llara-train adapt", __doc__)
    add_model(parser)
    _add_text(parser)
    _add_loss(parser)
    add_training(parser, steps=10_000, rate=1e-5, warm_up=100, shape="cosine")
    group = parser.add_argument_group("batches")
    group.add_argument(
        "--batch", type=positive, default=256, help="examples in a step, over all devices (default %(default)s)"
    )
    group.add_argument("--micro-tokens", type=positive, default=8_192, help="tokens in one forward pass, with padding")
    add_lora(parser)
    given = parser.parse_args(arguments)
    check_lora(parser, given)
    given.lora, given.load_dtype = lora_of(given), load_dtype_of(given)
    given.chunking = Chunking(given.unit, given.chunk_size or CHUNK_SIZES[given.unit], given.max_tokens)
    given.plan = AdaptPlan(
        steps=given.steps,
        batch=given.batch,
        rates=rates_of(given),
        weights=_weights(given),
        micro_tokens=given.micro_tokens,
        seed=given.seed,
        drop_frequent=given.drop_frequent,
    )
    return given


def _add_text(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("text")
    group.add_argument(
        "--data",
        type=existing_file,
        nargs="+",
        required=True,
        metavar="FILE",
        help="JSONL with one document on each line, plain or as .xz or .gz",
    )
    group.add_argument("--field", default="text", help="field that holds the text (default %(default)s)")
    group.add_argument("--documents", type=positive, metavar="N", help="read only the first N documents")
    group.add_argument(
        "--unit", choices=[*CHUNK_SIZES], default="words", help="cut documents into runs of words or of sentences"
    )
    group.add_argument(
        "--chunk-size", type=positive, help="words in a chunk (default 500), or most sentences in one (default 4)"
    )
    group.add_argument(
        "--max-tokens", type=positive, default=1_024, help="cut a chunk at this length, prompts not counted"
    )


def _add_loss(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("loss")
    group.add_argument(
        "--loss",
        choices=["paper", "released"],
        default="paper",
        help="defaults of the options below: the paper's, or those of the authors' released code",
    )
    group.add_argument("--ebae-weight", type=float, help="weight of EBAE (paper 1, released 0.05)")
    group.add_argument("--ebar-weight", type=float, help="weight of EBAR (paper 1, released 0.05)")
    group.add_argument("--lm-weight", type=float, help="weight of the causal-LM loss on the text (paper 0, released 1)")
    group.add_argument(
        "--pooling",
        choices=POOLINGS,
        help="mean-state (paper) or max-logit (released): average the states, or take the largest of the logits",
    )
    group.add_argument(
        "--unique", action=argparse.BooleanOptionalAction, help="count each target token once (paper no, released yes)"
    )
    group.add_argument(
        "--drop-frequent",
        type=int,
        default=0,
        metavar="N",
        help="drop the N most frequent token ids from the targets (default 0)",
    )
    group.add_argument(
        "--fit-scale",
        action="store_true",
        help="first scale the final norm so that the loss starts lowest; for models without a trained LM head",
    )


def _weights(given: argparse.Namespace) -> Weights:
    base = RELEASED_WEIGHTS if given.loss == "released" else Weights()
    wanted = {
        "ebae": given.ebae_weight,
        "ebar": given.ebar_weight,
        "causal_lm": given.lm_weight,
        "pooling": given.pooling,
        "unique": given.unique,
    }
    return replace(base, **{name: value for name, value in wanted.items() if value is not None})


def identity_of(given: argparse.Namespace) -> dict[str, object]:
    """What a run's state and result belong to: the same options continue it, others are refused."""
    return {
        "command": "adapt",
        "plan": asdict(given.plan),
        "chunking": asdict(given.chunking),
        "model": given.model,
        "data": [str(Path(file).resolve()) for file in given.data],
        "field": given.field,
        "documents": given.documents,
        "lora": asdict(given.lora) if given.lora else None,
        "template": given.template,
        "precision": given.precision,
        "fit_scale": given.fit_scale,
        "freeze": given.freeze,
    }


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code. Raises ValueError for a user's mistake."""
    given = parse(arguments)
    accelerator, identity, plan = accelerator_for(given.precision), identity_of(given), given.plan
    if is_concluded(accelerator, given.out, identity):
        return 0
    source = load_source(given.model, given.template, given.load_dtype, plan.seed)
    freeze(source.model, given.freeze)
    folder = given.out / "examples"
    if accelerator.is_main_process:
        prepare_examples(folder, given.data, source.tokenizer, given.chunking, plan.seed, given.field, given.documents)
    accelerator.wait_for_everyone()
    examples = open_examples(folder)
    if len(examples) == 0:
        raise ValueError("no document is long enough for two chunks in a row: try a smaller --chunk-size")
    keeping = keeping_for(given, identity)
    training, finished = adapt(
        accelerator, source, examples, plan, keeping, given.lora, given.gradient_checkpointing, given.fit_scale
    )
    facts = adaptation_facts(source, plan, [file.name for file in given.data])

    def save() -> Path:
        return save_result(accelerator, training.module, source, given.out, facts, given.merge)

    return conclude(accelerator, given.out, identity, finished, save)
