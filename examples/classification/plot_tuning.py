"""
Tuning by successive halving
============================

A halving search trains many candidates for a few epochs, and only the best of them for longer. Its resource is
``max_epochs``; `search_space` returns the distributions from which candidates are drawn.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from skspec import Conv1DClassifier, FluxNormalizer, LogWaveResampler, make_spectra, search_space

spectra = make_spectra(240, snr=(2, 10), random_state=0)
y, groups = spectra.meta["class"], spectra.sky_groups()
model = make_pipeline(
    LogWaveResampler(n_bins=100), FluxNormalizer(), Conv1DClassifier(filters=(8, 16), random_state=0)
)

# %%
# Distributions for every step, around its current parameters.
space = search_space(model)
for name, values in space.items():
    print(name, *(values if isinstance(values, list) else values.support()), sep="  ")

# %%
# Twelve candidates are trained for 2 epochs, four for 6, two for 18. The spectra of an object stay together.
search = HalvingRandomSearchCV(
    model,
    space,
    resource="conv1dclassifier__max_epochs",
    n_candidates=12,
    min_resources=2,
    max_resources=18,
    factor=3,
    cv=StratifiedGroupKFold(3),
    scoring="f1_macro",
    random_state=0,
).fit(spectra, y, groups=groups)

# %%
# Each line is a candidate, each point its score after training from scratch for this number of epochs.
results = search.cv_results_
epochs, score = results["n_resources"], results["mean_test_score"]
names = np.array([str({**p, "conv1dclassifier__max_epochs": None}) for p in results["params"]])
best = names[search.best_index_]

fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name in dict.fromkeys(names):
    own = names == name
    style = {"color": "C1", "zorder": 3, "label": "best"} if name == best else {"color": "0.7"}
    ax.plot(epochs[own], score[own], "o-", **style)
ax.set(xscale="log", xlabel="Epochs", ylabel="Macro-averaged F1, 3 folds")
rounds = zip(search.n_resources_, search.n_candidates_, strict=True)
ax.set_xticks(search.n_resources_, [f"{budget}\n{n} candidates" for budget, n in rounds])
ax.minorticks_off()
ax.legend()
plt.show()

# %%
# The best candidate has been refitted to all spectra; you can pass the search to `skspec.save`.
print(f"macro-averaged F1: {search.best_score_:.2f}")
for name, value in search.best_params_.items():
    print(name, value, sep="  ")
