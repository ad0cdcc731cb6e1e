"""Fine-tunes an adapted LLaMA on pairs (the paper, Llama2Vec at ACL 2024, section 4), with LoRA or in full.

    llara-train finetune --model runs/adapted/checkpoint --pairs mined.jsonl --out runs/tuned --lora

InfoNCE over the passages of the whole step: each query against its positive, its hard negatives and the passages of the
other queries. Queries are read with the EBAR prompt ("what comes next"), documents with EBAE ("the text itself").

Writes OUT/adapter (with --merge OUT/checkpoint too), or without --lora OUT/checkpoint; OUT/losses.jsonl and
OUT/losses.png. If it was stopped, run the same command again to continue.
"""

import argparse
from dataclasses import asdict
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
from llara_train.data.pairs import PairFiles, prepare_pairs
from llara_train.model.source import freeze, load_source
from llara_train.objectives.info_nce import TEACHER_LOSSES, Objective
from llara_train.running.conclusion import conclude, is_concluded
from llara_train.running.devices.accelerator import accelerator_for
from llara_train.running.result import save_result
from llara_train.teaching.teachers import load_teacher
from llara_train.training.from_pairs import FinetunePlan, finetune, finetuning_facts


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options, with `plan`, `lora`, `load_dtype`, `weights` and `teacher_name` made from them."""
    parser = command_parser("llara-train finetune", __doc__)
    add_model(parser)
    _add_pairs(parser)
    _add_loss(parser)
    add_training(parser, steps=2_000, rate=1e-4, warm_up=100, shape="linear")
    _add_batches(parser)
    add_lora(parser)
    given = parser.parse_args(arguments)
    check_lora(parser, given)
    if given.teacher is None and given.teacher_weight:
        parser.error("--teacher-weight has no effect without --teacher: add --teacher FOLDER or leave it out")
    given.weights = _weights(parser, given.weights)
    given.lora, given.load_dtype = lora_of(given), load_dtype_of(given)
    given.teacher_name = given.teacher.name if given.teacher else None
    given.plan = FinetunePlan(
        steps=given.steps,
        batch=given.batch,
        rates=rates_of(given),
        objective=_objective(given),
        negatives=given.negatives,
        query_tokens=given.query_tokens,
        passage_tokens=given.passage_tokens,
        micro_tokens=given.micro_tokens,
        direct_tokens=given.direct_tokens,
        seed=given.seed,
        query_prompt=given.query_prompt,
        document_prompt=given.document_prompt,
    )
    return given


def _add_pairs(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("pairs")
    group.add_argument(
        "--pairs",
        type=existing_file,
        nargs="+",
        required=True,
        metavar="FILE",
        help="JSONL in our own, FlagEmbedding's or Tevatron's layout (see the README), plain or as .xz or .gz",
    )
    group.add_argument(
        "--weights",
        nargs="*",
        default=[],
        metavar="SOURCE=W",
        help="draw pairs of SOURCE W times as often as its number of rows would give",
    )
    for name, prompt in (("query", "ebar"), ("document", "ebae")):
        group.add_argument(
            f"--{name}-prompt",
            choices=["ebar", "ebae"],
            default=prompt,
            help="for experiments: the other prompt (default %(default)s)",
        )
    group.add_argument("--limit", type=positive, metavar="N", help="read only the first N rows of each file")
    for name, tokens in (("query", 64), ("passage", 160)):
        group.add_argument(
            f"--{name}-tokens",
            type=positive,
            default=tokens,
            help=f"cut a {name} at this length, prompt included (default %(default)s)",
        )


def _add_loss(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("loss")
    group.add_argument("--temperature", type=float, default=0.01, help="temperature of InfoNCE (default %(default)s)")
    group.add_argument("--negatives", type=int, default=15, help="hard negatives for each query (default %(default)s)")
    group.add_argument("--both-ways", action="store_true", help="also rank the queries for each passage")
    group.add_argument(
        "--teacher", type=Path, metavar="FOLDER", help="bi-encoder (sentence-transformers layout) or cross-encoder"
    )
    group.add_argument(
        "--teacher-loss", choices=TEACHER_LOSSES, default="kl", help="distance to the teacher (default %(default)s)"
    )
    group.add_argument("--teacher-weight", type=float, help="weight of that distance (default 1 with a teacher)")
    group.add_argument(
        "--teacher-temperature",
        type=float,
        default=0.05,
        help="temperature of the teacher's scores (default %(default)s; about 1 suits a cross-encoder)",
    )
    group.add_argument("--contrast-weight", type=float, default=1.0, help="weight of InfoNCE (default %(default)s)")


def _add_batches(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("batches")
    group.add_argument(
        "--batch",
        type=positive,
        default=128,
        help="queries in a step over all devices, all of one source (default %(default)s)",
    )
    group.add_argument("--micro-tokens", type=positive, default=8_192, help="tokens in one forward pass, with padding")
    group.add_argument(
        "--direct-tokens",
        type=int,
        default=0,
        metavar="N",
        help="on one device, run a step of at most N padded tokens in a single pass: faster, more memory",
    )


def _weights(parser: argparse.ArgumentParser, given: list[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for item in given:
        name, _, value = item.rpartition("=")
        try:
            found[name] = float(value)
        except ValueError:
            parser.error(f"--weights needs SOURCE=NUMBER, not {item!r}")
        if not name or found[name] < 0:
            parser.error(f"--weights needs SOURCE=NUMBER with a number of at least 0, not {item!r}")
    return found


def _objective(given: argparse.Namespace) -> Objective:
    by_default = 1.0 if given.teacher else 0.0
    return Objective(
        contrast=given.contrast_weight,
        teacher=by_default if given.teacher_weight is None else given.teacher_weight,
        temperature=given.temperature,
        teacher_temperature=given.teacher_temperature,
        teacher_loss=given.teacher_loss,
        both_ways=given.both_ways,
    )


def identity_of(given: argparse.Namespace) -> dict[str, object]:
    """What a run's state and result belong to: the same options continue it, others are refused."""
    return {
        "command": "finetune",
        "plan": asdict(given.plan),
        "model": given.model,
        "pairs": [str(Path(file).resolve()) for file in given.pairs],
        "weights": given.weights,
        "limit": given.limit,
        "lora": asdict(given.lora) if given.lora else None,
        "template": given.template,
        "precision": given.precision,
        "freeze": given.freeze,
        "teacher": str(given.teacher.resolve()) if given.teacher else None,
    }


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code. Raises ValueError for a user's mistake."""
    given = parse(arguments)
    accelerator, identity, plan = accelerator_for(given.precision), identity_of(given), given.plan
    if is_concluded(accelerator, given.out, identity):
        return 0
    source = load_source(given.model, given.template, given.load_dtype, plan.seed)
    freeze(source.model, given.freeze)
    folder = given.out / "pairs"
    if accelerator.is_main_process:
        prepare_pairs(folder, given.pairs, source.tokenizer, plan.query_tokens, plan.passage_tokens, given.limit)
    accelerator.wait_for_everyone()
    pairs, keeping = PairFiles(folder), keeping_for(given, identity)
    teacher = load_teacher(given.teacher, accelerator.device) if given.teacher else None
    training, finished = finetune(
        accelerator, source, pairs, plan, keeping, given.lora, given.gradient_checkpointing, given.weights, teacher
    )
    facts = finetuning_facts(source, plan, [file.name for file in given.pairs], given.lora, given.teacher_name)

    def save() -> Path:
        return save_result(accelerator, training.module, source, given.out, facts, given.merge)

    return conclude(accelerator, given.out, identity, finished, save)
