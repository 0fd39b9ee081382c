"""
Preprocessing stars of MILES and LAMOST
=======================================

Spectra of the same classes differ between a library and a survey. MILES (Sánchez-Blázquez et al. 2006, MNRAS 371, 703)
has bright stars at 2.5 Å resolution on air wavelengths, without errors. LAMOST (Cui et al. 2012, RAA 12, 1197) has faint
stars at a resolving power of 1800, with inverse variances and gaps. After preprocessing, stars of a class have similar
spectra in both.

The spectra are read from the folder ``SKSPEC_DATA``; if it does not exist, simulated spectra with the same resolution and
noise are used.
"""

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skspec import (
    ContinuumNormalizer,
    FluxNormalizer,
    LogWaveResampler,
    MissingFluxImputer,
    ResolutionMatcher,
    make_spectra,
    read_spectra,
)
from skspec.mk import temperature_class

folder = Path(os.environ.get("SKSPEC_DATA", ""))
miles_file, lamost_files = folder / "miles_v9.1" / "miles_v9.1.npz", folder / "lamost_lrs" / "fits"

if miles_file.is_file():
    library = read_spectra(miles_file, medium="air")
    library_class = np.asarray(library.meta["spectral_class"])
else:
    library = make_spectra(300, classes="BAFGKM", resolution=2200, snr=200, random_state=0)
    library_class = np.asarray(library.meta["spectral_class"])
if lamost_files.is_dir():
    survey = read_spectra(lamost_files)
    survey_class = temperature_class(survey.meta["subclass"])
else:
    survey = make_spectra(300, classes="AFGKM", resolution=1800, snr=20, random_state=1)
    survey_class = np.asarray(survey.meta["spectral_class"])
print(library)
print(survey)


# %%
# One star of each class: the star of median colour in the library, and of median signal-to-noise ratio in the survey.
def choose(spectra, labels, classes, value):
    """Select the spectrum with the median value in each class."""
    rows = []
    for name in classes:
        members = np.flatnonzero(labels == name)
        rows.append(members[np.argsort(value[members])[len(members) // 2]])
    return spectra[rows]


def colour(spectra):
    """Divide the red by the blue flux."""
    flux, wave = np.asarray(spectra), spectra.wave
    return np.nanmedian(flux[:, wave > 6500], axis=1) / np.nanmedian(flux[:, wave < 4500], axis=1)


stars = {
    "library": choose(library, library_class, "BAFGKM", colour(library)),
    "survey": choose(survey, survey_class, "AFGKM", survey.snr),
}

# %%
# Match the resolving power to 1000, shift to the rest frame if the redshift is known, and resample onto one grid. Then
# either scale the flux or divide by the continuum.
grid = LogWaveResampler(n_bins=1000, loglam_min=3.58, loglam_max=3.869)
source = {"library": (2.5, "angstrom"), "survey": (1800.0, "R")}
chains = {}
for name, chosen in stars.items():
    width, unit = source[name]
    matched = ResolutionMatcher(
        width, 1000.0, source_unit=unit, target_unit="R", coarser="keep"
    ).fit_transform(chosen)
    at_rest = matched.to_rest_frame() if "z" in matched.meta.colnames else matched
    binned = grid.fit(at_rest).resample(at_rest)
    scaled = MissingFluxImputer(min_coverage=0.2).fit_transform(FluxNormalizer().fit_transform(binned))
    lines = MissingFluxImputer(min_coverage=0.2).fit_transform(
        ContinuumNormalizer(window=150).fit_transform(binned)
    )
    chains[name] = (chosen, scaled, lines)

# %%
# Left: as read. Middle: matched, on one grid, scaled. Right: divided by the continuum, which also removes the errors of
# the survey's flux calibration that are visible in the middle.
for name, (chosen, scaled, lines) in chains.items():
    labels = "BAFGKM" if name == "library" else "AFGKM"
    figure, axes = plt.subplots(
        len(labels), 3, figsize=(11, 1.5 * len(labels)), sharex="col", layout="constrained"
    )
    for ax, title in zip(
        axes[0], ("as read", "matched, binned, scaled", "divided by continuum"), strict=True
    ):
        ax.set_title(f"{name}: {title}", fontsize="medium")
    for k, label in enumerate(labels):
        one = chosen[k]
        wave = one.wave if one.is_common_grid else one.wave[0]
        axes[k, 0].plot(wave, one.flux[0], lw=0.4, color="0.4")
        axes[k, 1].plot(grid.wave_, scaled[k], lw=0.7, color="C0")
        axes[k, 2].plot(grid.wave_, lines[k], lw=0.7, color="C0")
        axes[k, 0].set_ylabel(label)
        axes[k, 2].set_ylim(0.0, 1.6)
    for ax in axes[-1]:
        ax.set_xlabel("wavelength (Å)")
plt.show()
