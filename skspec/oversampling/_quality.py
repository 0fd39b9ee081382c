"""How good generated spectra are."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_scalar

from skspec.oversampling import _distances
from skspec.oversampling._distances import Projection
from skspec.oversampling._spectral_features import compare_features

_FEWEST = 5


@dataclass(frozen=True)
class QualityReport:
    """Generated spectra of a class against real ones; see `quality_report`.

    Attributes
    ----------
    frechet_distance : float
        Squared Fréchet distance of the Gaussians through both, in components scaled to variance 1 (Heusel et al. 2017,
        arXiv:1706.08500): 0 for equal means and covariances.
    energy_distance : float
        Of the whole distributions there (Székely and Rizzo 2013, J. Stat. Plan. Inference 143, 1249).
    density, coverage : float
        How deep among the real ones generated spectra lie, and what fraction of the real ones they come near to
        (Naeem et al. 2020, arXiv:2002.09797): about 1 each for spectra like the real ones.
    copying, copying_pvalue : float
        Probability that a generated spectrum is nearer to one learned from than a held-out real one is, and its
        one-sided p-value (Meehan et al. 2020, arXiv:2004.05675): 0.5 for spectra that are as new, 1 for copies.
    auc : float
        Area under the ROC curve of a random forest that tells generated from held-out spectra (Lopez-Paz and Oquab 2017,
        arXiv:1610.06545): 0.5 if it cannot, 1 if it always can.
    features : astropy.table.Table or None
        Line depths and colours of both: columns ``feature``, ``real_median``, ``real_std``, ``generated_median``,
        ``generated_std``, ``ks_pvalue``. None without `wave`.
    n_train, n_held_out, n_generated : int
        Spectra that were compared.
    """

    frechet_distance: float
    energy_distance: float
    density: float
    coverage: float
    copying: float
    copying_pvalue: float
    auc: float
    features: Table | None
    n_train: int
    n_held_out: int
    n_generated: int

    @property
    def memorized(self) -> bool:
        """Whether generated spectra are copies, at a level of 1 per cent."""
        return self.copying_pvalue < 0.01

    def __str__(self) -> str:
        text = (
            f"{self.n_generated} generated spectra, {self.n_held_out} held out, {self.n_train} learned from\n"
            f"Fréchet distance      {self.frechet_distance:8.3f}  (0 is best)\n"
            f"energy distance       {self.energy_distance:8.3f}  (0)\n"
            f"density               {self.density:8.3f}  (1)\n"
            f"coverage              {self.coverage:8.3f}  (1)\n"
            f"two-sample AUC        {self.auc:8.3f}  (0.5)\n"
            f"nearer than held out  {self.copying:8.3f}  (0.5; p = {self.copying_pvalue:.3g})"
        )
        return text if self.features is None else "\n".join([text, *self.features.pformat(max_lines=-1)])


def quality_report(
    train: ArrayLike,
    held_out: ArrayLike,
    generated: ArrayLike,
    *,
    wave: ArrayLike | None = None,
    lines: dict[str, float] | None = None,
    n_components: int = 10,
    n_neighbors: int = 5,
    random_state: int = 0,
) -> QualityReport:
    """Compare generated spectra of one class with real ones that the generator has not seen.

    Parameters
    ----------
    train : array-like of shape (n_train, n_features)
        Real spectra that were learned from.
    held_out : array-like of shape (n_held_out, n_features)
        Other real spectra of the class, not of the same objects.
    generated : array-like of shape (n_generated, n_features)
        For example ``sampler.sample(500, "O")``.
    wave : array-like of shape (n_features,) or pair of floats, default=None
        Vacuum wavelengths in Å, or the first and last of a linear grid. None leaves line depths and colours out.
    lines : dict of str to float, default=None
        Rest wavelengths of lines by name, in vacuum Å; None takes eleven of hydrogen, helium and metals.
    n_components : int, default=10
        Principal components of `train` that distances are taken in: at most so many, at most one for four spectra,
        and only those with more variance than noise.
    n_neighbors : int, default=5
        Neighbours for density and coverage.
    random_state : int, default=0
        Determines folds and forest of the AUC, and which of the larger set it takes: it takes as many of both.

    Returns
    -------
    QualityReport

    Raises
    ------
    ValueError
        If a set has fewer than 5 spectra, NaN, or another number of columns.

    See Also
    --------
    skspec.plotting.GenerationQualityDisplay : The same in a picture.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec.oversampling import quality_report
    >>> rng = np.random.default_rng(0)
    >>> train, held_out, generated = (rng.normal(size=(60, 40)) for _ in range(3))
    >>> report = quality_report(train, held_out, generated)
    >>> report.memorized
    False
    >>> quality_report(train, held_out, train + 1e-3).memorized
    True
    """
    check_scalar(n_components, "n_components", Integral, min_val=1)
    check_scalar(n_neighbors, "n_neighbors", Integral, min_val=1)
    sets = {"train": train, "held_out": held_out, "generated": generated}
    arrays = {name: _check(name, rows) for name, rows in sets.items()}
    widths = {name: rows.shape[1] for name, rows in arrays.items()}
    if len(set(widths.values())) > 1:
        raise ValueError(f"train, held_out and generated must have the same number of columns, got {widths}")
    known, unseen, made = arrays.values()
    # components of spectra to learn from: held-out and generated ones are equally new to them
    projection = Projection(known, n_components)
    inside = [projection(rows) for rows in (known, unseen, made)]
    everything = [projection(rows, left_over=True) for rows in (unseen, made)]
    n = min(len(unseen), len(made))
    generator = np.random.default_rng(random_state)
    drawn = [rows[np.sort(generator.permutation(len(rows))[:n])] for rows in everything]
    density, coverage = _distances.density_and_coverage(inside[1], inside[2], n_neighbors)
    probability, pvalue = _distances.copying(*inside)
    return QualityReport(
        frechet_distance=_distances.frechet_distance(inside[1], inside[2]),
        energy_distance=_distances.energy_distance(inside[1], inside[2]),
        density=density,
        coverage=coverage,
        copying=probability,
        copying_pvalue=pvalue,
        auc=_distances.two_sample_auc(drawn[0], drawn[1], random_state),
        features=None if wave is None else compare_features(unseen, made, wave=wave, lines=lines),
        n_train=len(known),
        n_held_out=len(unseen),
        n_generated=len(made),
    )


def _check(name: str, rows: Any) -> NDArray[np.float64]:
    return check_array(rows, dtype=np.float64, ensure_min_samples=_FEWEST, input_name=name)
