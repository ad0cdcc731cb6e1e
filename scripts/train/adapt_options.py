"""The command line of adapt.py."""

import argparse
from dataclasses import asdict, replace
from pathlib import Path

import options
from adapt_plan import AdaptPlan
from adaptation import RELEASED_WEIGHTS, Weights
from bag_of_words import POOLINGS
from chunks import Chunking


def parse(about: str, arguments: list[str] | None) -> argparse.Namespace:
    """What was given, with `plan`, `chunking`, `lora`, `load_dtype` and `identity()` made from it."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_model(parser)
    _add_text(parser)
    _add_loss(parser)
    options.add_training(parser, steps=10_000, rate=1e-5, warm_up=100, shape="cosine")
    group = parser.add_argument_group("batches")
    group.add_argument("--batch", type=options.positive, default=256, help="examples a step, over all devices")
    group.add_argument("--micro-tokens", type=options.positive, default=8_192, help="padded tokens of one forward pass")
    options.add_lora(parser)
    given = parser.parse_args(arguments)
    options.check_lora(parser, given)
    given.lora, given.load_dtype = options.lora_of(given), options.load_dtype_of(given)
    given.chunking = Chunking(given.unit, given.chunk_size or (4 if given.unit == "sentences" else 500), given.max_tokens)
    return _with_plan(given)


def _add_text(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("text")
    group.add_argument(
        "--data", type=options.existing_file, nargs="+", required=True, metavar="FILE",
        help="JSONL, one document a line; .xz and .gz are read as they are",
    )  # fmt: skip
    group.add_argument("--field", default="text", help="where a line has its text")
    group.add_argument("--documents", type=options.positive, help="read only the first so many")
    group.add_argument("--unit", choices=["words", "sentences"], default="words", help="what documents are cut by")
    group.add_argument("--chunk-size", type=options.positive, help="words a chunk (500), or most sentences (4)")
    group.add_argument("--max-tokens", type=options.positive, default=1_024, help="of a chunk, without the prompts")


def _add_loss(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("loss")
    group.add_argument("--loss", choices=["paper", "released"], default="paper", help="which of the two the rest starts from")
    group.add_argument("--ebae-weight", type=float)
    group.add_argument("--ebar-weight", type=float)
    group.add_argument("--lm-weight", type=float, help="of the causal-LM loss on the text (paper 0, released 1)")
    group.add_argument("--pooling", choices=POOLINGS, help="paper: one logit row of the mean state; released: the largest")
    group.add_argument("--unique", action=argparse.BooleanOptionalAction, help="count each target once (released)")
    group.add_argument("--drop-frequent", type=int, default=0, help="leave the so many most frequent ids out of targets")
    group.add_argument(
        "--fit-scale", action="store_true", help="scale the final norm for the lowest first loss (models without a real head)"
    )


def _weights(given: argparse.Namespace) -> Weights:
    base = RELEASED_WEIGHTS if given.loss == "released" else Weights()
    wanted = {
        "ebae": given.ebae_weight, "ebar": given.ebar_weight, "causal_lm": given.lm_weight,
        "pooling": given.pooling, "unique": given.unique,
    }  # fmt: skip
    return replace(base, **{name: value for name, value in wanted.items() if value is not None})


def _with_plan(given: argparse.Namespace) -> argparse.Namespace:
    given.plan = AdaptPlan(
        given.steps, given.batch, options.rates_of(given), _weights(given), given.micro_tokens, given.seed,
        given.drop_frequent,
    )  # fmt: skip
    lora = asdict(given.lora) if given.lora else None
    data = [str(Path(file).resolve()) for file in given.data]
    given.identity = lambda: {
        "model": given.model, "data": data, "field": given.field, "documents": given.documents, "lora": lora,
        "template": given.template, "precision": given.precision, "fit_scale": given.fit_scale,
        "freeze": given.freeze,
    }  # fmt: skip
    return given
