"""Measures what one joint pass (EBAE and EBAR of a text in a single forward pass) saves against two separate passes.

    llara-train joint-cost --model CHECKPOINT

Prints a table: cost of the joint pass as a share of two separate ones, in operations (computed) and in time (measured
on this machine).
"""

import argparse

from llara_train.cli.parser import command_parser, positive
from llara_train.evaluation.joint_saving import LENGTHS, joint_costs
from llara_train.model.source import load_source


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options as given."""
    parser = command_parser("llara-train joint-cost", __doc__)
    parser.add_argument("--model", required=True, help="folder or Hugging Face id of a LLaMA-family causal LM")
    parser.add_argument(
        "--tokens",
        type=positive,
        nargs="+",
        default=[*LENGTHS],
        metavar="N",
        help="lengths of text (default 44 139 512)",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code. Lengths that the model has no positions for are left out."""
    given = parse(arguments)
    print("| tokens of text | operations, this model | operations, LLaMA-2-7B | time, this model |\n|---|---|---|---|")
    for cost in joint_costs(load_source(given.model, None), given.tokens):
        shares = " | ".join(f"{share:.2f}" for share in (cost.operations, cost.operations_7b, cost.time))
        print(f"| {cost.tokens} | {shares} |", flush=True)
    return 0
