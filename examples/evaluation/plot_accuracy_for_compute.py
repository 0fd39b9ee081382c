"""
Accuracy against training time
==============================

Macro-averaged F1 score against the training time in seconds, for all classifiers of
``python -m benchmarks.real_stars --csv real_stars.csv``. Up and left is better. The benchmark takes hours; this example
plots its results from a file in the same folder.
"""

# %%
# One row for each classifier and task. The published networks are scaled down to what two cores can train, as described
# in the benchmark, and everything ran on one thread of a shared machine: compare times only within a panel, and only to
# within a factor of two.
import csv
import sys
from pathlib import Path

import matplotlib.pyplot as plt

with open(Path(sys.argv[0]).with_name("real_stars.csv")) as file:
    rows = [row for row in csv.DictReader(file) if row["macro_f1"]]
tasks = list(dict.fromkeys(row["task"] for row in rows))
names = list(dict.fromkeys(row["contender"] for row in rows))

# %%
# The red star is the recommended ensemble of the task.
markers = dict(zip(names, "osv^<>DPXhpd1234*", strict=False)) | {"skspec recommended": "*"}
colors = {name: plt.get_cmap("tab20")(k % 20) for k, name in enumerate(names)} | {
    "skspec recommended": "crimson"
}
fig, axes = plt.subplots(2, 3, figsize=(11, 7), layout="constrained")
for ax, task in zip(axes.flat, tasks, strict=False):
    for row in (row for row in rows if row["task"] == task):
        name = row["contender"]
        size = 220 if name == "skspec recommended" else 45
        ax.scatter(
            float(row["seconds"]), float(row["macro_f1"]), s=size, marker=markers[name], color=colors[name]
        )
    best = max(float(row["macro_f1"]) for row in rows if row["task"] == task)
    ax.set(xscale="log", title=task, ylim=(best - 0.25, best + 0.03))
for ax in axes[:, 0]:
    ax.set_ylabel("Macro-averaged F1 score")
for ax in axes.flat[: len(tasks)]:
    ax.set_xlabel("Training time (s)")
for ax in axes.flat[len(tasks) :]:
    ax.axis("off")
handles = [
    plt.Line2D([], [], linestyle="", marker=markers[name], color=colors[name], label=name) for name in names
]
axes.flat[-1].legend(handles=handles, loc="center", frameon=False, fontsize=8.5)
plt.show()

# %%
# Classifiers with a score more than 0.25 below the best of a task are outside of its panel.
