"""The Lick/IDS system of absorption-line indices."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skspec.spectra import air_to_vacuum


class IndexDefinition(NamedTuple):
    """Index band and the two bands of the pseudo-continuum, each (lower, upper) in Å, and ``"ew"`` or ``"mag"``."""

    band: tuple[float, float]
    blue: tuple[float, float]
    red: tuple[float, float]
    kind: str


# Wavelengths in air: Trager et al. 1998 (ApJS 116, 1), who corrected those of Worthey et al. 1994
# (ApJS 94, 687), and for the four higher Balmer indices Worthey and Ottaviani 1997 (ApJS 111, 377).
_AIR = """
CN1       4142.125 4177.125  4080.125 4117.625  4244.125 4284.125  mag
CN2       4142.125 4177.125  4083.875 4096.375  4244.125 4284.125  mag
Ca4227    4222.250 4234.750  4211.000 4219.750  4241.000 4251.000  ew
G4300     4281.375 4316.375  4266.375 4282.625  4318.875 4335.125  ew
Fe4383    4369.125 4420.375  4359.125 4370.375  4442.875 4455.375  ew
Ca4455    4452.125 4474.625  4445.875 4454.625  4477.125 4492.125  ew
Fe4531    4514.250 4559.250  4504.250 4514.250  4560.500 4579.250  ew
C4668     4634.000 4720.250  4611.500 4630.250  4742.750 4756.500  ew
Hbeta     4847.875 4876.625  4827.875 4847.875  4876.625 4891.625  ew
Fe5015    4977.750 5054.000  4946.500 4977.750  5054.000 5065.250  ew
Mg1       5069.125 5134.125  4895.125 4957.625  5301.125 5366.125  mag
Mg2       5154.125 5196.625  4895.125 4957.625  5301.125 5366.125  mag
Mgb       5160.125 5192.625  5142.625 5161.375  5191.375 5206.375  ew
Fe5270    5245.650 5285.650  5233.150 5248.150  5285.650 5318.150  ew
Fe5335    5312.125 5352.125  5304.625 5315.875  5353.375 5363.375  ew
Fe5406    5387.500 5415.000  5376.250 5387.500  5415.000 5425.000  ew
Fe5709    5696.625 5720.375  5672.875 5696.625  5722.875 5736.625  ew
Fe5782    5776.625 5796.625  5765.375 5775.375  5797.875 5811.625  ew
NaD       5876.875 5909.375  5860.625 5875.625  5922.125 5948.125  ew
TiO1      5936.625 5994.125  5816.625 5849.125  6038.625 6103.625  mag
TiO2      6189.625 6272.125  6066.625 6141.625  6372.625 6415.125  mag
Hdelta_A  4083.500 4122.250  4041.600 4079.750  4128.500 4161.000  ew
Hgamma_A  4319.750 4363.500  4283.500 4319.750  4367.250 4419.750  ew
Hdelta_F  4091.000 4112.250  4057.250 4088.500  4114.750 4137.250  ew
Hgamma_F  4331.250 4352.250  4283.500 4319.750  4354.750 4384.750  ew
"""


def _define(line: str) -> tuple[str, IndexDefinition]:
    name, *limits, kind = line.split()
    low, high, blue_low, blue_high, red_low, red_high = air_to_vacuum(
        np.array(limits, dtype=np.float64)
    ).tolist()
    return name, IndexDefinition((low, high), (blue_low, blue_high), (red_low, red_high), kind)


LICK = dict(map(_define, _AIR.strip().splitlines()))
"""The 25 indices by name, wavelengths in vacuum."""
