"""The command line of finetune.py."""

import argparse
from dataclasses import asdict
from pathlib import Path

import options
from contrast import TEACHER_LOSSES, Objective
from finetune_plan import FinetunePlan


def parse(about: str, arguments: list[str] | None) -> argparse.Namespace:
    """What was given, with `plan`, `lora`, `load_dtype`, `weights` and `identity()` made from it."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_model(parser)
    _add_pairs(parser)
    _add_loss(parser)
    options.add_training(parser, steps=2_000, rate=1e-4, warm_up=100, shape="linear")
    _add_batches(parser)
    options.add_lora(parser)
    given = parser.parse_args(arguments)
    options.check_lora(parser, given)
    if given.teacher is None and given.teacher_weight:
        parser.error("--teacher-weight needs --teacher")
    given.weights = _weights(parser, given.weights)
    given.lora, given.load_dtype = options.lora_of(given), options.load_dtype_of(given)
    given.teacher_name = given.teacher.name if given.teacher else None
    return _with_plan(given)


def _add_pairs(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("pairs")
    group.add_argument(
        "--pairs", type=options.existing_file, nargs="+", required=True, metavar="FILE",
        help="JSONL with query and positive, negatives if mined; layouts: see pair_rows.py; .xz and .gz as they are",
    )  # fmt: skip
    group.add_argument("--weights", nargs="*", default=[], metavar="SOURCE=W", help="draw a source W times as often as it has rows")
    for name, prompt in (("query", "ebar"), ("document", "ebae")):
        group.add_argument(f"--{name}-prompt", choices=["ebar", "ebae"], default=prompt, help="only to see what a wrong one costs")
    group.add_argument("--limit", type=options.positive, help="read only the first so many rows of each file")
    group.add_argument("--query-tokens", type=options.positive, default=64, help="with the prompt (default %(default)s)")
    group.add_argument("--passage-tokens", type=options.positive, default=160, help="with the prompt (default %(default)s)")


def _add_loss(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("loss")
    group.add_argument("--temperature", type=float, default=0.01)
    group.add_argument("--negatives", type=int, default=15, help="hard negatives a query (default %(default)s)")
    group.add_argument("--both-ways", action="store_true", help="passages look for their query as well")
    group.add_argument("--teacher", type=Path, metavar="FOLDER", help="bi-encoder (sentence-transformers layout) or cross-encoder")
    group.add_argument("--teacher-loss", choices=TEACHER_LOSSES, default="kl")
    group.add_argument("--teacher-weight", type=float, help="default 1 with a teacher")
    group.add_argument("--teacher-temperature", type=float, default=0.05, help="about 1 for a cross-encoder's logits")
    group.add_argument("--contrast-weight", type=float, default=1.0)


def _add_batches(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("batches")
    group.add_argument("--batch", type=options.positive, default=128, help="queries a step, over all devices, all of one source")
    group.add_argument("--micro-tokens", type=options.positive, default=8_192, help="padded tokens of one forward pass")
    group.add_argument(
        "--direct-tokens", type=int, default=0,
        help="a step of at most so many padded tokens keeps its graphs (one device): no second forward pass",
    )  # fmt: skip


def _weights(parser: argparse.ArgumentParser, given: list[str]) -> dict[str, float]:
    found = {}
    for item in given:
        name, _, value = item.rpartition("=")
        try:
            found[name] = float(value)
        except ValueError:
            parser.error(f"--weights takes SOURCE=NUMBER, not {item!r}")
        if not name or found[name] < 0:
            parser.error(f"--weights takes SOURCE=NUMBER of 0 or more, not {item!r}")
    return found


def _with_plan(given: argparse.Namespace) -> argparse.Namespace:
    weight = 1.0 if given.teacher and given.teacher_weight is None else given.teacher_weight or 0.0
    objective = Objective(
        given.contrast_weight, weight, given.temperature, given.teacher_temperature, given.teacher_loss, given.both_ways
    )
    given.plan = FinetunePlan(
        given.steps, given.batch, options.rates_of(given), objective, given.negatives, given.query_tokens,
        given.passage_tokens, given.micro_tokens, given.direct_tokens, given.seed,
        given.query_prompt, given.document_prompt,
    )  # fmt: skip
    lora = asdict(given.lora) if given.lora else None
    pairs = [str(Path(file).resolve()) for file in given.pairs]
    given.identity = lambda: {
        "model": given.model, "pairs": pairs, "weights": given.weights, "limit": given.limit, "lora": lora,
        "template": given.template, "precision": given.precision, "freeze": given.freeze,
        "teacher": str(given.teacher.resolve()) if given.teacher else None,
    }  # fmt: skip
    return given
