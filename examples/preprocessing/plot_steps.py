"""
From raw spectrum to features, step by step
===========================================

This example shows what each step of the recommended preprocessing does to one spectrum of each class: stars from O to M,
a galaxy and a quasar. For the order of the steps and its reasons, see "From raw survey spectrum to features" in the user
guide.
"""

import matplotlib.pyplot as plt
import numpy as np

from skspec import (
    ContinuumNormalizer,
    FluxNormalizer,
    LogWaveResampler,
    MissingFluxImputer,
    ResolutionMatcher,
    Spectra,
    make_spectra,
)

# %%
# One spectrum of each class (the nearest galaxy and quasar), with a gap such as that of a bad column.
stars = make_spectra(210, classes="OBAFGKM", snr=15, missing=0.0, random_state=1)
others = make_spectra(60, classes=("GALAXY", "QSO"), snr=15, missing=0.0, random_state=0)
spectra = Spectra.concatenate([stars, others[np.argsort(others.meta["z"])]])
label = np.where(spectra.meta["class"] == "STAR", spectra.meta["spectral_class"], spectra.meta["class"])
classes = ["O", "B", "A", "F", "G", "K", "M", "GALAXY", "QSO"]
spectra = spectra[[int(np.flatnonzero(label == name)[0]) for name in classes]]
gap = (spectra.wave > 5570) & (spectra.wave < 5590)  # the night sky's brightest line
spectra = Spectra(spectra.flux, wave=spectra.wave, ivar=np.where(gap, 0, spectra.ivar), meta=spectra.meta)
print(spectra)

# %%
# First match the resolving power of the coarsest survey, on the original pixels and in the observed frame. Then shift to
# the rest frame. Then resample onto one grid, on which missing bins are still missing.
matched = ResolutionMatcher(2000.0, 800.0, source_unit="R", target_unit="R").fit_transform(spectra)
at_rest = matched.to_rest_frame()
grid = LogWaveResampler(n_bins=1000, loglam_min=3.57, loglam_max=3.94).fit(at_rest)
binned = grid.resample(at_rest)

# %%
# Now scale the flux by the valid bins, and fill the missing bins last, because classifiers do not accept NaN.
scaled = FluxNormalizer().fit_transform(binned)
filled = MissingFluxImputer(min_coverage=0.3).fit_transform(scaled)

# %%
# Where lines matter more than colours, divide by the continuum before filling the gaps.
lines = MissingFluxImputer(min_coverage=0.3).fit_transform(
    ContinuumNormalizer(window=150).fit_transform(binned)
)

# %%
# Rows are classes, columns are steps. Orange: filled bins. At its redshift the quasar does not cover the red half of the
# grid, and the values there are not measured; ``min_coverage`` limits how much may be filled.
fig, axes = plt.subplots(len(classes), 4, figsize=(13, 13), sharex="col", layout="constrained")
titles = ("observed", "matched to R = 800", "rest frame, 1000 bins, scaled, filled", "divided by continuum")
for ax, title in zip(axes[0], titles, strict=True):
    ax.set_title(title, fontsize="medium")
for k, name in enumerate(classes):
    missing = ~np.isfinite(np.asarray(scaled)[k])
    axes[k, 0].plot(spectra.wave, np.asarray(spectra)[k], lw=0.4, color="0.5")
    axes[k, 1].plot(matched.wave, np.asarray(matched)[k], lw=0.6, color="C0")
    for ax, values in ((axes[k, 2], filled[k]), (axes[k, 3], lines[k])):
        ax.plot(grid.wave_, values, lw=0.6, color="C0")
        ax.plot(grid.wave_, np.where(missing, values, np.nan), lw=2, color="C1")
    axes[k, 1].set_ylim(axes[k, 0].get_ylim())
    axes[k, 0].set_ylabel(name)
for ax in axes[-1]:
    ax.set_xlabel("wavelength (Å)")
plt.show()
