"""Functions that return unfitted pipelines: five published systems with their bugs mended, and what we recommend."""

from skspec.recipes._boss_quasars import boss_quasars
from skspec.recipes._galaxy10 import galaxy10
from skspec.recipes._lamost_rare_o import lamost_rare_o
from skspec.recipes._mk_joint import mk_joint
from skspec.recipes._recommended import recommended
from skspec.recipes._star_galaxy_qso import star_galaxy_qso

__all__ = ["boss_quasars", "galaxy10", "lamost_rare_o", "mk_joint", "recommended", "star_galaxy_qso"]
