"""Draws the losses of a run, finished or not.

    llara-train plot runs/adapted/losses.jsonl

Writes the plot beside the log, as losses.png.
"""

import argparse

from llara_train.cli.parser import command_parser, existing_file
from llara_train.running.loss_plot import plot_losses


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options as given."""
    parser = command_parser("llara-train plot", __doc__)
    parser.add_argument("log", type=existing_file, metavar="LOG", help="losses.jsonl of a run")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    log = parse(arguments).log
    plot_losses(log, log.with_suffix(".png"))
    return 0
