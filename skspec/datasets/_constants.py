"""Physical constants, exact in the SI since 2019."""

from scipy.constants import c, e, h, k

LIGHT_SPEED = c / 1e3  # km/s
BOLTZMANN = k * 1e7  # erg/K
BOLTZMANN_EV = k / e  # eV/K
HC_K = h * c / k * 1e10  # second radiation constant h c / k in Å K
