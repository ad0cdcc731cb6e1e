"""The cells of the ablation, one after the other, and the file of their results."""

import argparse
import json
import shutil
import sys
import time
from functools import cached_property
from pathlib import Path
from typing import Any

from llara_train.cli import adapt, finetune
from llara_train.cli.calling import run_command
from llara_train.evaluation.joint_saving import LENGTHS, joint_costs
from llara_train.model.source import load_source
from llara_train.running.progress import read_log
from recipes.ablation.cells import ADAPTATIONS, PROMPTS, TRAINED_PROMPTS, Condition, Sets, judge
from recipes.ablation.tables import read_reports, write_tables


class Ablation:
    """Runs the cells that are missing. `given`: the command's options; `settings`: what all cells have in common."""

    def __init__(self, given: argparse.Namespace, settings: dict[str, Any]) -> None:
        self.given, self.settings = given, settings
        self.sets = Sets(given.sets, given.max_queries, given.max_documents, given.eval_tokens)
        self.file = given.out / "results.jsonl"
        given.out.mkdir(parents=True, exist_ok=True)

    def results(self) -> list[dict[str, Any]]:
        """Lines with exactly these settings; others stay in the file, unused."""
        return [row for row in read_log(self.file) if row["settings"] == self.settings]

    def record(self, row: dict[str, Any]) -> None:
        """Adds a line to the file, which is replaced as a whole."""
        rows = [*read_log(self.file), row | {"settings": self.settings}]
        partial = self.file.with_suffix(".partial")
        partial.write_text("".join(json.dumps(line) + "\n" for line in rows), encoding="utf-8")
        partial.rename(self.file)

    def adapted(self, condition: Condition, seed: int, folder: Path) -> str:
        """The checkpoint that fine-tuning starts from."""
        given = self.given
        if condition.adapt is None:
            return str(given.model)
        options = {
            "model": given.model,
            "data": given.text,
            "out": folder / "adapt",
            "unit": "sentences",
            "documents": 2 * given.adapt_steps * given.adapt_batch,
            "max-tokens": given.adapt_tokens,
            "steps": given.adapt_steps,
            "batch": given.adapt_batch,
            "rate": given.rate,
            "seed": seed,
            "embeddings-share": given.embeddings_share,
            "warm-up": max(1, given.adapt_steps // 10),
            "drop-frequent": 50,
            "micro-tokens": 4_096,
            "fit-scale": given.fit_scale,
            **condition.adapt,
        }
        run_command(adapt.main, options)
        return str(folder / "adapt" / "checkpoint")

    def tuned(self, model: str, condition: Condition, seed: int, folder: Path) -> Path:
        """The checkpoint after fine-tuning."""
        given, (query_prompt, document_prompt) = self.given, PROMPTS[condition.prompts]
        options = {
            "model": model,
            "pairs": given.pairs,
            "out": folder / "finetune",
            "limit": given.pairs_limit,
            "steps": given.finetune_steps,
            "batch": given.finetune_batch,
            "negatives": given.negatives,
            "query-tokens": given.finetune_tokens,
            "passage-tokens": given.finetune_tokens,
            "temperature": 0.05,
            "rate": given.rate,
            "embeddings-share": given.embeddings_share,
            "seed": seed,
            "warm-up": max(1, given.finetune_steps // 10),
            "micro-tokens": 3_072,
            "direct-tokens": 60_000,
            "query-prompt": query_prompt,
            "document-prompt": document_prompt,
            "both-ways": True,
        }
        run_command(finetune.main, options)
        return folder / "finetune" / "checkpoint"

    @cached_property
    def start_figures(self) -> dict[str, dict[str, float]]:
        """Figures of the checkpoint that every cell starts from."""
        return judge(Path(self.given.model), self.sets, ["right"])

    def cell(self, condition: Condition, seed: int) -> None:
        """Trains and measures one cell and records its line."""
        started = time.time()
        folder = self.given.out / "cells" / f"{condition.name.replace(', ', '-').replace(' ', '-')}-{seed}"
        start = self.adapted(condition, seed, folder)
        row: dict[str, Any] = {"kind": "training", "condition": condition.name, "seed": seed, "arm": condition.prompts}
        row["adapted"] = judge(Path(start), self.sets, ["right"]) if condition.adapt is not None else self.start_figures
        arms = list(PROMPTS) if condition.name == "both" else [condition.prompts]
        row["tuned"] = judge(self.tuned(start, condition, seed, folder), self.sets, arms)
        self.record(row | {"seconds": round(time.time() - started)})
        if not self.given.keep:
            shutil.rmtree(folder, ignore_errors=True)

    def costs(self) -> None:
        """Records the cost of the joint pass at several lengths of text."""
        for cost in joint_costs(load_source(self.given.model, None), LENGTHS):
            self.record({"kind": "cost", **cost._asdict()})

    def run(self) -> None:
        """Makes what is missing; the tables are written after every cell."""
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
        """Writes the tables of the results so far."""
        drifts = read_reports(self.given.drift) if self.given.drift else []
        write_tables(self.given.table, self.results(), self.sets.names, self.settings, drifts)
