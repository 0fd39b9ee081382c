"""
The spectral sequence, simulated
================================

`make_spectra` simulates stars, galaxies and quasars as a survey observes them. This example shows main-sequence stars
from O to M without noise: hydrogen lines are strongest at A, helium lines appear in hotter stars, metal lines and finally
TiO bands in cooler ones.
"""

import numpy as np

from skspec import Spectra, make_spectra

stars = make_spectra(400, classes="OBAFGKM", noise=False, ebv=0.0, random_state=0)
dwarfs = stars[np.asarray(stars.meta["lum_class"]) == "V"]

# %%
# One dwarf of each class, in order of temperature.
letters = np.asarray(dwarfs.meta["spectral_class"])
first = [int(np.flatnonzero(letters == letter)[0]) for letter in "OBAFGKM"]
sequence: Spectra = dwarfs[first]
ax = sequence.plot()
ax.set_title("Simulated dwarfs, O to M")

# %%
# The catalogue row of each spectrum holds the simulated parameters.
print(sequence.meta["subclass", "teff", "logg", "feh", "z", "ebv", "snr"])
