"""docs/ablation.md from the results: tables between two marks; what stands around them is kept."""

import json
import statistics
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- ablation:begin -->", "<!-- ablation:end -->"
HEAD = """# Ablation

What the two objectives, the two prompts and the joint pass are worth, at a small scale. Made by `recipes.ablation` of
scripts/train.

"""
Figures = dict[str, dict[str, float]]


def spread(values: list[float], places: int = 3) -> str:
    """Mean ± standard deviation (of the sample) over the seeds; one seed has no deviation."""
    mean = f"{statistics.mean(values):.{places}f}"
    return f"{mean} ± {statistics.stdev(values):.{places}f}" if len(values) > 1 else mean


def table(headings: list[str], lines: list[list[str]]) -> str:
    """A Markdown table."""
    rows = [headings, ["---"] * len(headings), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def _over_seeds(cells: list[dict], stage: str, arm: str, sets: list[str]) -> list[str]:
    found = [cell[stage][arm] for cell in cells if stage in cell]
    return [spread([figures[name] for figures in found]) if found else "-" for name in sets]


def adaptation_table(results: list[dict[str, Any]], sets: list[str]) -> str:
    """nDCG@10 of every adaptation, before and after fine-tuning."""
    names = dict.fromkeys(row["condition"] for row in results if row["kind"] == "training")
    lines = []
    for name in names:
        cells = [row for row in results if row["kind"] == "training" and row["condition"] == name]
        before = _over_seeds(cells, "adapted", "right", sets)
        lines.append([name, str(len(cells)), *before, *_over_seeds(cells, "tuned", cells[0]["arm"], sets)])
    after = [f"{name}, fine-tuned" for name in sets]
    return table(["adaptation", "seeds", *[f"{name}, adapted only" for name in sets], *after], lines)


def prompts_table(results: list[dict[str, Any]], sets: list[str]) -> str:
    """nDCG@10 of the right and the wrong prompts, after adaptation with both objectives."""
    cells = [row for row in results if row["kind"] == "training" and row["condition"] == "both"]
    arms = list(cells[0]["tuned"]) if cells else []
    return table(
        ["prompts (trained with the right ones)", *sets],
        [[arm, *_over_seeds(cells, "tuned", arm, sets)] for arm in arms],
    )


def cost_table(results: list[dict[str, Any]]) -> str:
    """Cost of the joint pass at each length of text."""
    rows = [row for row in results if row["kind"] == "cost"]
    headings = ["tokens of text", "operations, this model", "operations, LLaMA-2-7B", "time, this model"]
    lines = [
        [str(row["tokens"]), *(f"{share:.2f}" for share in (row["operations"], row["operations_7b"], row["time"]))]
        for row in rows
    ]
    return table(headings, lines)


def drift_table(reports: list[dict[str, Any]]) -> str:
    """How far int8 vectors are from fp32 ones: reports of `npm run evaluate -- SET --model A --against B --json`."""
    lines = []
    for report in reports:
        drift = report["drift"]
        cosines = [drift[part]["meanCosine"] for part in ("documents", "queries")]
        worst = min(drift[part]["worstCosine"] for part in ("documents", "queries"))
        ndcg = drift["ndcg@10"]
        names = [f"{report['model']['precision']} against {drift['reference']['precision']}", report["set"]]
        figures = [f"{value:.5f}" for value in (*cosines, worst)] + [
            f"{ndcg[key]:.4f}" for key in ("reference", "model", "change")
        ]
        lines.append(names + figures)
    headings = ["precision", "set", "mean cosine, documents", "queries", "worst", "nDCG@10 before", "after", "change"]
    return table(headings, lines)


def read_reports(file: Path) -> list[dict[str, Any]]:
    """Reports with a drift, one JSON object a line. Raises ValueError when there is none."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    found = [row for row in rows if "drift" in row]
    if not found:
        raise ValueError(
            f"{file} has no report with a drift; make it with npm run evaluate -- <set> --against <model> --json"
        )
    return found


def settings_line(settings: dict[str, Any]) -> str:
    """The settings in one line of text."""
    shown = {name: " + ".join(value) if isinstance(value, list) else value for name, value in settings.items()}
    return "; ".join(f"{name} {value}" for name, value in shown.items())


def write_tables(
    file: Path,
    results: list[dict[str, Any]],
    sets: list[str],
    settings: dict[str, Any],
    drifts: list[dict[str, Any]],
) -> None:
    """Replaces what stands between the two marks of a file; a missing file is begun.

    Raises ValueError for a file without the marks.
    """
    parts = [
        f"Same data and steps for every row: {settings_line(settings)}. "
        "nDCG@10, mean ± standard deviation over seeds.\n",
        "## What is adapted for\n",
        adaptation_table(results, sets),
        "## Which prompt goes where\n",
        prompts_table(results, sets),
        "## One joint pass against two\n",
        "Cost of the joint pass as a share of two separate ones. Operations are computed (a forward pass, pairs"
        " that see each other only), time is measured on the processor of this run: a general mask computes blocked"
        " pairs too.\n",
        cost_table(results),
    ]
    parts += ["## Precision\n", drift_table(drifts)] if drifts else []
    body = f"{BEGIN}\n" + "\n".join(parts) + END
    old = file.read_text(encoding="utf-8") if file.is_file() else HEAD + f"{BEGIN}\n{END}\n"
    if BEGIN not in old or END not in old:
        raise ValueError(
            f"{file} has no place for the tables: add the lines {BEGIN} and {END}, or choose another --table"
        )
    before, after = old.split(BEGIN)[0], old.split(END)[1]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(before + body + after, encoding="utf-8")
