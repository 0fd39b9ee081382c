"""Opacity of molecular bands: sharp heads, and rotational lines that fade away from them.

At a band head the summed gf e^(-E/kT) of the rotational lines jumps, then falls by a factor e in `decay` Å: towards the
red for TiO, VO and CaH, towards the violet (negative decay) for CH, CN and MgH. Heads: Pearse & Gaydon (1976), *The
Identification of Molecular Spectra*. Strengths of TiO, CN, CH and MgH: sums over the line lists of Plez (1998, A&A 337,
495), Brooke et al. (2014, ApJS 210, 23), Masseron et al. (2014, A&A 571, A47) and Kurucz (2014). Strengths of VO and
CaH: fitted to spectra of M dwarfs (Kirkpatrick, Henry & McCarthy 1991, ApJS 77, 417).
"""

import numpy as np

from skspec.datasets._types import Float32Array, FloatArray

# molecule: fraction of the wavelengths covered by its lines, and bands: head (vacuum Å), gf per Å there, decay (Å)
BANDS: dict[str, tuple[float, tuple[tuple[float, float, float], ...]]] = {
    "TiO": (
        1.0,
        (
            (4421.0, 0.66, 90), (4462.9, 1.4, 40), (4505.3, 1.6, 25), (4548.0, 1.4, 25), (4585.9, 2.4, 60),
            (4627.2, 4.0, 40), (4667.9, 2.2, 60), (4762.3, 7.3, 40), (4805.3, 6.7, 40), (4849.8, 4.7, 25),
            (4954.7, 10.7, 60), (5000.6, 4.2, 40), (5166.8, 12.3, 50), (5447.8, 4.8, 60), (5498.2, 2.4, 60),
            (5595.3, 2.0, 40), (5627.6, 3.8, 25), (5758.7, 1.1, 60), (5810.6, 1.5, 40), (5849.5, 3.5, 40),
            (5875.2, 3.1, 40), (5896.9, 3.6, 40), (6157.7, 2.9, 90), (6189.0, 5.8, 60), (6213.3, 4.0, 40),
            (6353.6, 1.7, 90), (6416.8, 1.7, 90), (6480.7, 1.4, 90), (6546.7, 1.2, 90), (6650.0, 2.9, 90),
            (6716.2, 5.6, 90), (6784.6, 3.2, 60), (6848.9, 2.2, 60), (7052.1, 2.5, 90), (7084.7, 5.2, 60),
            (7122.3, 7.6, 60), (7199.8, 2.4, 40), (7586.1, 0.42, 90), (7624.7, 0.65, 90), (7668.7, 1.4, 90),
            (7746.8, 1.0, 90), (7823.9, 0.6, 90), (8250.0, 0.1, 90), (8385.4, 0.27, 90), (8442.0, 0.5, 60),
            (8862.0, 1.2, 120), (8952.0, 0.6, 90), (9211.0, 0.6, 120), (9730.0, 0.5, 150), (4500.0, 0.6, 400),
            (5166.8, 0.8, 400), (5447.8, 0.6, 400), (5849.5, 0.5, 350), (6157.7, 0.5, 300),
        ),
    ),
    "VO": (
        1.0,
        ((7338.0, 1.5, 80), (7447.0, 1.5, 80), (7867.0, 3.5, 60), (7941.0, 3.5, 70), (8537.0, 1.5, 80),
         (8624.0, 1.5, 80)),
    ),
    "CaH": (0.5, ((6384.0, 0.4, -30), (6760.0, 0.7, 60), (6880.0, 0.7, 60), (6950.0, 0.8, 50))),
    "CH": (0.5, ((4314.5, 0.25, -16), (4300.0, 0.06, -60), (4325.5, 0.08, -3), (4395.0, 0.025, -45),
                          (3895.0, 0.05, -25))),
    "CN": (0.25, ((3591.5, 0.5, -25), (3872.5, 4.0, -4), (3863.0, 2.0, -25), (3884.5, 8.0, -4),
                          (4190.0, 0.15, -25), (4199.0, 0.3, -6), (4217.0, 0.35, -4))),
    "MgH": (0.5, ((4792.0, 0.25, -25), (4847.0, 0.05, -60), (5186.0, 1.9, -45), (5212.5, 1.5, -8),
                           (5605.0, 0.04, -70))),
}  # fmt: skip


class Bands:
    """Band profiles on one grid of vacuum wavelengths in Å."""

    def __init__(self, wave: FloatArray) -> None:
        self._profiles = [self._profile(wave, bands) for _, bands in BANDS.values()]

    @staticmethod
    def _profile(wave: FloatArray, bands: tuple[tuple[float, float, float], ...]) -> Float32Array:
        """Return the cross-section times the partition function, in cm2."""
        total = np.zeros_like(wave)
        for head, peak, decay in bands:
            steps = (wave - head) / decay
            total += np.where(steps >= 0, peak * np.exp(-np.maximum(steps, 0.0)), 0.0)
        return (8.852e-21 * wave**2 * total).astype(np.float32)

    def opacity(self, numbers: FloatArray) -> dict[float, Float32Array]:
        """Return, for each covered fraction of the wavelengths, the absorption in cm2 times `numbers`.

        `numbers` are the molecules over their partition functions, in the order of `BANDS`.
        """
        total: dict[float, Float32Array] = {}
        for number, profile, (share, _) in zip(numbers, self._profiles, BANDS.values(), strict=True):
            absorption = np.float32(number / share) * profile
            total[share] = total[share] + absorption if share in total else absorption
        return total
