"""
Temperatures from the shape of the continuum
============================================

`WienFitFeatures` fits Wien's law, ``A λ⁻⁵ exp(-hc / (λ k T))``, to each spectrum. This example compares the fitted
temperature with the effective temperature of the star.

The spectra are from the MILES library (Sánchez-Blázquez et al. 2006, MNRAS 371, 703) if the folder ``SKSPEC_DATA``
contains it; if not, they are simulated.
"""

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.constants import c, h, k
from scipy.stats import spearmanr

from skspec import LineIndices, Spectra, WienFitFeatures, make_spectra

CLASSES = "BAFGKM"
HC_K = h * c / k * 1e10  # Å K
COLOURS = dict(zip(CLASSES, ["#4b5bd6", "#4aa3df", "#3fae8c", "#d6a92f", "#e07b39", "#b5383b"], strict=True))

miles = Path(os.environ.get("SKSPEC_DATA", "")) / "miles_v9.1" / "miles_v9.1.npz"
if miles.is_file():
    with np.load(miles) as data:
        meta = {name: data[name] for name in ("spectral_class", "teff")}
        stars = Spectra(data["flux"], wave=data["wave"], meta=meta, medium="air")
else:
    stars = make_spectra(500, classes=CLASSES, repeats=0, ebv=0.0, random_state=0)
teff, letter = np.asarray(stars.meta["teff"]), np.asarray(stars.meta["spectral_class"])
known = np.isin(letter, list(CLASSES)) & np.isfinite(teff)
stars, teff, letter = stars[known], teff[known], letter[known]
print(stars)

# %%
# The result is a table with named columns for temperature and amplitude.
wien = WienFitFeatures().set_output(transform="pandas").fit_transform(stars)
print(wien.head())
print(f"rank correlation with Teff: {spearmanr(wien['wien_temperature'], teff).statistic:.3f}")

# %%
# One star of each class, and its fit. Cool stars have metal lines and molecular bands, mostly in the blue; in hot stars
# the flux drops to the blue of the Balmer jump.
rest = stars.to_vacuum()
figure, axes = plt.subplots(2, 3, figsize=(9, 5), sharex=True, layout="constrained")
for ax, name in zip(axes.flat, CLASSES, strict=True):
    members = np.flatnonzero(letter == name)
    row = members[np.argsort(teff[members])[len(members) // 2]]
    flux, t = np.asarray(rest[row])[0], wien["wien_temperature"].iloc[row]
    law = wien["wien_amplitude"].iloc[row] * rest.wave**-5.0 * np.exp(-HC_K / (rest.wave * t))
    scale = np.nanmedian(flux)
    ax.plot(rest.wave, flux / scale, lw=0.6, color="0.55")
    ax.plot(rest.wave, law / scale, lw=1.8, color=COLOURS[name])
    ax.set_title(f"{name}: {t:.0f} K (effective: {teff[row]:.0f} K)", fontsize=10)
    ax.set_ylim(bottom=0)
figure.supxlabel("vacuum wavelength (Å)")
figure.supylabel("flux / median flux")

# %%
# All stars. For cool stars the two temperatures agree, except for the coolest, which appear cooler because of TiO bands.
# Above 10,000 K Planck's law differs from Wien's at these wavelengths, and the Balmer jump distorts the continuum: the
# order of the stars is right, but the temperatures are not.
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for name in CLASSES:
    own = letter == name
    left.plot(teff[own], wien["wien_temperature"][own], ".", ms=4, color=COLOURS[name], label=name)
ends = np.array([2500.0, 25000.0])
left.plot(ends, ends, color="0.6", lw=1, zorder=0)
left.set(xscale="log", yscale="log", xlabel="effective temperature (K)", ylabel="Wien temperature (K)")
left.legend(frameon=False, ncols=2)

# Line indices add information that the continuum lacks: hydrogen lines are strongest in A stars.
strength = LineIndices(["Hdelta_A"]).fit_transform(stars)[:, 0]
for name in CLASSES:
    own = letter == name
    right.plot(wien["wien_temperature"][own], strength[own], ".", ms=4, color=COLOURS[name])
right.set(xscale="log", xlabel="Wien temperature (K)", ylabel="Lick index HδA (Å)")
for axis in (left.xaxis, left.yaxis, right.xaxis):
    axis.set_ticks([2000, 4000, 8000, 16000], labels=["2000", "4000", "8000", "16000"])
    axis.set_ticks([], minor=True)
plt.show()
