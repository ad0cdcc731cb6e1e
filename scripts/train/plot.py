"""Losses of a run as a PNG. The only file that knows matplotlib.

    python plot.py DIR/losses.jsonl
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402

from progress import read_log  # noqa: E402

NOT_LOSSES = {"step", "rate", "tokens", "seconds"}
SMOOTHED_SHARE = 0.02


def smooth(values: list[float], share: float = SMOOTHED_SHARE) -> list[float]:
    """Exponential moving average over about that share of the run."""
    keep = 1 - 1 / max(1.0, share * len(values))
    found, mean = [], values[0]
    for value in values:
        mean = keep * mean + (1 - keep) * value
        found.append(mean)
    return found


def plot_losses(log: Path, image: Path) -> None:
    """One panel per loss: every step faint, the moving average on top; the learning rate in grey behind."""
    rows = read_log(log)
    if not rows:
        return
    names = [name for name in rows[0] if name not in NOT_LOSSES]
    steps = [row["step"] for row in rows]
    figure, panels = pyplot.subplots(len(names), 1, figsize=(8, 2.6 * len(names)), sharex=True, squeeze=False)
    for name, panel in zip(names, panels[:, 0]):
        values = [row[name] for row in rows]
        panel.plot(steps, values, color="tab:blue", alpha=0.3, linewidth=0.8)
        panel.plot(steps, smooth(values), color="tab:blue")
        panel.set_ylabel(name)
        behind = panel.twinx()
        behind.plot(steps, [row["rate"] for row in rows], color="tab:gray", linewidth=0.8, linestyle=":")
        behind.set_ylabel("rate", color="tab:gray")
    panels[-1, 0].set_xlabel("step")
    figure.tight_layout()
    figure.savefig(image, dpi=120)
    pyplot.close(figure)


if __name__ == "__main__":
    source = Path(sys.argv[1])
    plot_losses(source, source.with_suffix(".png"))
