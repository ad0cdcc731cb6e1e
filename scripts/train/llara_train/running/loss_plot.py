"""Losses of a run as a PNG. The only file that imports matplotlib."""

from pathlib import Path

from matplotlib.figure import Figure

from llara_train.running.progress import read_log

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
    """Draws a losses.jsonl: for each loss every step faintly, the moving average, and the learning rate in grey.

    An empty log leaves no image.
    """
    rows = read_log(log)
    if not rows:
        return
    names = [name for name in rows[0] if name not in NOT_LOSSES]
    steps = [row["step"] for row in rows]
    figure = Figure(figsize=(8, 2.6 * len(names)))
    panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)
    for name, panel in zip(names, panels[:, 0], strict=True):
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
