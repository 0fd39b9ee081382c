"""Noise-free spectra of stars, and measurements of their lines."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from skspec.datasets._library import star_spectra
from skspec.datasets._mk_calibration import physical_parameters, type_number
from skspec.datasets._photosphere._synthesis import LOG_STEP, WAVE

LUMINOSITY = {"I": 0, "II": 1, "III": 2, "IV": 3, "V": 4}


def mk_spectra(types, luminosity="V", feh=0.0, resolution=2000.0):
    """Return spectra of MK types such as "A0" at a given resolution, shape (n_types, n_pixels)."""
    numbers = np.array([type_number(name[0], float(name[1:])) for name in types])
    teff, logg = physical_parameters(numbers, np.full(len(types), LUMINOSITY[luminosity]))
    flux = star_spectra(teff, logg, np.full(len(types), feh)).astype(float)
    return gaussian_filter1d(flux, 1.0 / (2.3548 * resolution * LOG_STEP * np.log(10.0)), axis=1)


def equivalent_width(flux, line, blue, red):
    """Return the equivalent width in Å between the wavelengths `line`, with a linear continuum from two side bands."""

    def level(band):
        inside = (band[0] < WAVE) & (band[1] > WAVE)
        return np.mean(band), flux[:, inside].mean(axis=1, keepdims=True)

    (x0, y0), (x1, y1) = level(blue), level(red)
    inside = (line[0] < WAVE) & (line[1] > WAVE)
    wave = WAVE[inside]
    continuum = y0 + (y1 - y0) * (wave - x0) / (x1 - x0)
    return np.trapezoid(1.0 - flux[:, inside] / continuum, wave, axis=1)


H_ALPHA = ((6525, 6605), (6480, 6520), (6610, 6650))
H_BETA = ((4820, 4905), (4780, 4815), (4910, 4945))
H_DELTA = ((4097, 4108), (4085, 4094), (4111, 4118))
CA_K = ((3925, 3944), (3910, 3922), (3946, 3956))
HE_I = ((4464, 4479), (4450, 4462), (4484, 4495))
HE_II = ((4535, 4549), (4520, 4533), (4556, 4566))
CA_TRIPLET = ((8535, 8555), (8512, 8530), (8560, 8580))
CA_I = ((4222, 4234), (4214, 4220), (4236, 4242))


def tio_index(flux):
    """Return the mean flux in the TiO band at 7054 Å over that just blueward of its head; 1 without the band."""
    band, before = (WAVE > 7055) & (WAVE < 7150), (WAVE > 7030) & (WAVE < 7050)
    return flux[:, band].mean(axis=1) / flux[:, before].mean(axis=1)
