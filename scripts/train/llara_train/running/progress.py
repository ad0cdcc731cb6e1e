"""What a run prints and logs: a bar on a terminal, plain lines elsewhere, one JSON line for each step."""

import json
import sys
import time
from pathlib import Path

from tqdm import tqdm


class RunLog:
    """`losses.jsonl` of a run. Lines from `first` on are dropped: a resumed run makes those steps again.

    Only the main process of several gets a file and a bar; the others are built with `file` None and print nothing.
    """

    def __init__(self, file: Path | None, steps: int, first: int, every: int = 10) -> None:
        self.file, self.steps, self.every = file, steps, every
        self.lines, self.bar = None, None
        self.since, self.tokens = time.time(), 0.0
        if file is None:
            return
        kept = [line for line in read_log(file) if line["step"] <= first]
        partial = file.with_name(file.name + ".partial")
        partial.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        partial.replace(file)
        self.lines = file.open("a", encoding="utf-8")
        if sys.stderr.isatty():
            self.bar = tqdm(total=steps, initial=first, unit="step", dynamic_ncols=True)

    def note(self, step: int, figures: dict[str, float], rate: float, tokens: float) -> None:
        """Records one step. `step` counts from 1; `tokens`: read in this step, over all processes."""
        if self.lines is None:
            return
        now = time.time()
        seconds, self.since = now - self.since, now
        speed = tokens / max(seconds, 1e-9)
        row = {"step": step, **figures, "rate": rate, "tokens": int(tokens), "seconds": round(seconds, 3)}
        self.lines.write(json.dumps(row) + "\n")
        self.lines.flush()
        shown = {name: f"{value:.3f}" for name, value in figures.items()} | {"tokens/s": f"{speed:,.0f}"}
        if self.bar is not None:
            self.bar.set_postfix(shown, refresh=False)
            self.bar.update(1)
        elif step % self.every == 0 or step == self.steps:
            facts = "  ".join(f"{name} {value}" for name, value in shown.items())
            print(f"step {step}/{self.steps}  {facts}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Ends the bar and closes the file."""
        if self.bar is not None:
            self.bar.close()
        if self.lines is not None:
            self.lines.close()
            self.lines = None


def read_log(file: Path) -> list[dict]:
    """Rows of a losses.jsonl; a last line cut off by a crash is left out."""
    rows = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else []:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return rows
