"""The ablation: no adaptation, EBAE only, EBAR only, both; right and wrong prompts; joint against separate cost.

    python ablation_start.py --teacher TEACHER --pairs PAIRS.jsonl.xz --data DATA --out START
    python ablation.py --model START --text TEXT.jsonl.xz --pairs PAIRS.jsonl.xz --sets SET [SET ...]

Every cell (a condition and a seed) starts from the same checkpoint, reads the same data for the same steps, and leaves
one line in OUT/results.jsonl; run it again to go on with the cells that are missing. Then writes the tables.
"""

import argparse
import json
import shutil
import sys
import time
from functools import cached_property
from pathlib import Path

import adapt
import finetune
import options
from ablation_cells import ADAPTATIONS, PROMPTS, TRAINED_PROMPTS, Condition, Sets, judge
from ablation_table import read_reports, write_tables
from joint_cost import LENGTHS, LLAMA_2_7B, Shape, joint_share, measured_share
from model_source import load_source
from progress import read_log
from run import plain_errors


def words_of(given: dict[str, object]) -> list[str]:
    """{"steps": 3, "pairs": [a, b]} -> --steps 3 --pairs a b"""
    values = ((name, value if isinstance(value, list) else [value]) for name, value in given.items())
    return [word for name, many in values for word in (f"--{name}", *map(str, many))]


class Ablation:
    def __init__(self, given: argparse.Namespace, settings: dict):
        self.given, self.settings = given, settings
        self.sets = Sets(given.sets, given.max_queries, given.max_documents, given.eval_tokens)
        self.file = given.out / "results.jsonl"
        given.out.mkdir(parents=True, exist_ok=True)

    def results(self) -> list[dict]:
        """Lines of just these settings; others are kept in the file, unused."""
        return [row for row in read_log(self.file) if row["settings"] == self.settings]

    def record(self, row: dict) -> None:
        rows = [*read_log(self.file), row | {"settings": self.settings}]
        partial = self.file.with_suffix(".partial")
        partial.write_text("".join(json.dumps(line) + "\n" for line in rows), encoding="utf-8")
        partial.rename(self.file)

    def adapted(self, condition: Condition, seed: int, folder: Path) -> str:
        """The checkpoint that fine-tuning starts from."""
        given = self.given
        if condition.adapt is None:
            return given.model
        arguments = {
            "model": given.model, "data": given.text, "out": folder / "adapt", "unit": "sentences",
            "documents": 2 * given.adapt_steps * given.adapt_batch, "max-tokens": given.adapt_tokens,
            "steps": given.adapt_steps, "batch": given.adapt_batch, "rate": given.rate, "seed": seed,
            "embeddings-share": given.embeddings_share, "warm-up": max(1, given.adapt_steps // 10),
            "drop-frequent": 50, "micro-tokens": 4_096, **condition.adapt,
        }  # fmt: skip
        self._must(adapt.main(words_of(arguments) + (["--fit-scale"] if given.fit_scale else [])))
        return str(folder / "adapt" / "checkpoint")

    def tuned(self, model: str, condition: Condition, seed: int, folder: Path) -> Path:
        given, (asked, told) = self.given, PROMPTS[condition.prompts]
        arguments = {
            "model": model, "pairs": given.pairs, "out": folder / "finetune", "limit": given.pairs_limit,
            "steps": given.finetune_steps, "batch": given.finetune_batch, "negatives": given.negatives,
            "query-tokens": given.finetune_tokens, "passage-tokens": given.finetune_tokens, "temperature": 0.05,
            "rate": given.rate, "embeddings-share": given.embeddings_share, "seed": seed,
            "warm-up": max(1, given.finetune_steps // 10), "micro-tokens": 3_072, "direct-tokens": 60_000,
            "query-prompt": asked, "document-prompt": told,
        }  # fmt: skip
        self._must(finetune.main(words_of(arguments) + ["--both-ways"]))
        return folder / "finetune" / "checkpoint"

    @cached_property
    def start_figures(self) -> dict[str, dict[str, float]]:
        return judge(Path(self.given.model), self.sets, ["right"])

    @staticmethod
    def _must(code: int) -> None:
        if code != 0:
            raise SystemExit(code)

    def cell(self, condition: Condition, seed: int) -> None:
        started = time.time()
        folder = self.given.out / "cells" / f"{condition.name.replace(', ', '-').replace(' ', '-')}-{seed}"
        start = self.adapted(condition, seed, folder)
        row = {"kind": "training", "condition": condition.name, "seed": seed, "arm": condition.prompts}
        row["adapted"] = judge(Path(start), self.sets, ["right"]) if condition.adapt is not None else self.start_figures
        arms = list(PROMPTS) if condition.name == "both" else [condition.prompts]
        row["tuned"] = judge(self.tuned(start, condition, seed, folder), self.sets, arms)
        self.record(row | {"seconds": round(time.time() - started)})
        if not self.given.keep:
            shutil.rmtree(folder, ignore_errors=True)

    def costs(self) -> None:
        source = load_source(self.given.model, None)
        around = [len(source.prompts.ebae), len(source.prompts.ebar)]
        for tokens in LENGTHS:
            if tokens + sum(around) > source.model.config.max_position_embeddings:
                continue
            time_share, seconds = measured_share(source, tokens)
            shares = {"operations": joint_share(Shape.of(source.model.config), tokens, *around)}
            shares |= {"operations_7b": joint_share(LLAMA_2_7B, tokens, *around), "time": time_share}
            self.record({"kind": "cost", "tokens": tokens, **shares, "seconds_joint": seconds})

    def run(self) -> None:
        done = self.results()
        if not any(row["kind"] == "cost" for row in done):
            self.costs()
        made = {(row.get("condition"), row.get("seed")) for row in done}
        for seed in self.given.seeds:
            for condition in ADAPTATIONS + (TRAINED_PROMPTS if self.given.trained_prompts else []):
                if (condition.name, seed) not in made:
                    print(f"== {condition.name}, seed {seed}", file=sys.stderr, flush=True)
                    self.cell(condition, seed)
                    self.write()
        self.write()

    def write(self) -> None:
        drifts = read_reports(self.given.drift) if self.given.drift else []
        write_tables(self.given.table, self.results(), self.sets.names, self.settings, drifts)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="checkpoint every cell starts from")
    parser.add_argument("--text", type=options.existing_file, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--pairs", type=options.existing_file, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--pairs-limit", type=options.positive, default=20_000, help="rows read of each file")
    parser.add_argument("--sets", type=Path, nargs="+", required=True, metavar="FOLDER", help="judged sets, BEIR layout")
    parser.add_argument("--max-queries", type=options.positive, default=100)
    parser.add_argument("--max-documents", type=options.positive, default=600)
    parser.add_argument("--eval-tokens", type=options.positive, default=192)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--adapt-steps", type=options.positive, default=60)
    parser.add_argument("--adapt-batch", type=options.positive, default=32)
    parser.add_argument("--adapt-tokens", type=options.positive, default=80)
    parser.add_argument("--finetune-steps", type=options.positive, default=50)
    parser.add_argument("--finetune-batch", type=options.positive, default=32)
    parser.add_argument("--finetune-tokens", type=options.positive, default=128)
    parser.add_argument("--negatives", type=int, default=0, help="hard negatives a query, where the pairs have them")
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--embeddings-share", type=float, default=0.1)
    parser.add_argument("--fit-scale", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--trained-prompts", action="store_true", help="also fine-tune with the wrong prompts")
    parser.add_argument("--drift", type=Path, metavar="FILE", help="JSON of npm run evaluate -- <set> --against <model> --json")
    parser.add_argument("--keep", action="store_true", help="keep the cells' folders")
    parser.add_argument("--out", type=Path, default=root / ".train/ablation")
    parser.add_argument("--table", type=Path, default=root / "docs/ablation.md")
    return parser.parse_args(arguments)


def settings_of(given: argparse.Namespace) -> dict:
    """What every cell has in common; results of other settings are not mixed in."""
    return {
        "start": Path(given.model).name, "text": [f.name for f in given.text], "pairs": [f.name for f in given.pairs],
        "rows of each": given.pairs_limit, "adaptation steps": given.adapt_steps, "of": given.adapt_batch,
        "tokens a passage": given.adapt_tokens, "fine-tuning steps": given.finetune_steps, "pairs a step": given.finetune_batch,
        "tokens a text": given.finetune_tokens, "hard negatives": given.negatives, "rate": given.rate,
        "embeddings' share": given.embeddings_share, "sets": [f.name for f in given.sets],
        "logit scale fitted": given.fit_scale, "queries of each": given.max_queries, "documents of each": given.max_documents, "tokens measured": given.eval_tokens,
    }  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    given = parse(arguments)
    Ablation(given, settings_of(given)).run()
    return 0


if __name__ == "__main__":
    raise SystemExit(plain_errors(main))
