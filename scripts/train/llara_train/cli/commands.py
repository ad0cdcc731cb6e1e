"""The executable `llara-train`, with one subcommand for each task."""

import argparse
import importlib
import sys

COMMANDS = {
    "adapt": ("adapt", "adapt a LLaMA to retrieval on plain text (EBAE and EBAR)"),
    "mine": ("mine", "find hard negatives for training pairs with a checkpoint"),
    "finetune": ("finetune", "fine-tune an adapted checkpoint on pairs"),
    "evaluate": ("evaluate", "measure nDCG@10 of a checkpoint on judged sets"),
    "port": ("port", "make a causal LLaMA from a BERT sentence encoder"),
    "distil": ("distil", "train a ported checkpoint on a teacher's vectors"),
    "fit-head": ("fit_head", "fit an LM head for a distilled checkpoint"),
    "nearness": ("nearness", "measure how close checkpoints are to their teacher"),
    "joint-cost": ("joint_cost", "measure what one joint pass saves against two passes"),
    "plot": ("plot", "draw the losses of a run"),
}
"""Name of a command -> its module in this package, and one line about it."""


def command_list() -> str:
    """All commands, one a line, for the help."""
    lines = [f"  {name:<12}{about}" for name, (_, about) in COMMANDS.items()]
    return "\n".join(["commands:", *lines, "", "llara-train COMMAND --help lists the options of a command."])


def main(arguments: list[str] | None = None) -> int:
    """Runs a command and returns its exit code: 0 done, 2 a mistake of the user's, 3 stopped with the state saved.

    Args:
        arguments: words behind the program's name; default: those of this process.
    """
    words = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(
        prog="llara-train",
        usage="llara-train COMMAND [options]",
        description="Adapts LLaMA-family models to dense retrieval (LLaRA).",
        epilog=command_list(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=[*COMMANDS], metavar="COMMAND", help="one of those below")
    name = parser.parse_args(words[:1]).command
    from llara_train.cli.mistakes import plain_errors  # with torch: not before --help is answered

    module = importlib.import_module(f"llara_train.cli.{COMMANDS[name][0]}")
    return plain_errors(f"llara-train {name}", lambda: module.main(words[1:]))
