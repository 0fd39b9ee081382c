"""`quality_report`: comparison of generated with real spectra."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from astropy.table import Table
from numpy.typing import ArrayLike
from sklearn.utils import check_array, check_scalar

from skspec.oversampling import _distances
from skspec.oversampling._components import principal_components
from skspec.oversampling._spectral_features import compare_features

_FEWEST = 5


@dataclass(frozen=True)
class QualityReport:
    """Comparison of generated with real spectra of a class; see `quality_report`.

    Attributes
    ----------
    frechet_distance : float
        Squared Fréchet distance of Gaussians fitted to both, in components scaled to variance 1 (Heusel et al. 2017,
        arXiv:1706.08500): 0 for equal means and covariances.
    energy_distance : float
        Energy distance of the distributions in these components (Székely and Rizzo 2013, J. Stat. Plan. Inference 143,
        1249): 0 for equal distributions.
    density, coverage : float
        How close generated spectra are to real ones, and the fraction of real spectra with a generated spectrum nearby
        (Naeem et al. 2020, arXiv:2002.09797): both about 1 for spectra like the real ones.
    copying, copying_pvalue : float
        Probability that a generated spectrum is nearer to a training spectrum than a held-out one is, and its one-sided
        p-value (Meehan et al. 2020, arXiv:2004.05675): 0.5 for new spectra, 1 for copies.
    auc : float
        Area under the ROC curve of a random forest that separates generated and held-out spectra (Lopez-Paz and Oquab
        2017, arXiv:1610.06545): 0.5 if it cannot, 1 if it always can.
    features : astropy.table.Table or None
        Line depths and colours of real and generated spectra: columns ``feature``, ``real_median``, ``real_std``,
        ``generated_median``, ``generated_std``, ``ks_pvalue``. None without `wave`.
    n_train, n_held_out, n_generated : int
        Number of spectra of each kind.
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
        """Whether generated spectra are copies of training spectra, at a significance level of 1 %."""
        return self.copying_pvalue < 0.01

    def __str__(self) -> str:
        text = (
            f"{self.n_generated} generated, {self.n_held_out} held-out, {self.n_train} training spectra\n"
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
    """Compare generated spectra of one class with held-out real ones.

    Parameters
    ----------
    train : array-like of shape (n_train, n_features)
        Real spectra that the generator was trained on.
    held_out : array-like of shape (n_held_out, n_features)
        Real spectra of the class that the generator was not trained on, of other objects.
    generated : array-like of shape (n_generated, n_features)
        Generated spectra, for example ``sampler.sample(500, "O")``.
    wave : array-like of shape (n_features,) or pair of floats, default=None
        Vacuum wavelengths in Å, or the first and last of a linear grid. With None, line depths and colours are omitted.
    lines : dict of str to float, default=None
        Rest wavelengths of lines by name, in vacuum Å; None means eleven lines of hydrogen, helium and metals.
    n_components : int, default=10
        Maximum number of principal components of `train` in which distances are measured. At most one per four spectra
        is used, and none that describes noise.
    n_neighbors : int, default=5
        Number of neighbours for density and coverage.
    random_state : int, default=0
        Seed of the folds and the forest of the AUC, and of the random subset of the larger set: the AUC uses equally many
        real and generated spectra.

    Returns
    -------
    QualityReport

    Raises
    ------
    ValueError
        If a set has fewer than 5 spectra or NaN, or the numbers of columns differ.

    See Also
    --------
    skspec.plotting.GenerationQualityDisplay : Plot of the report.

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
    arrays = {
        name: check_array(rows, dtype=np.float64, ensure_min_samples=_FEWEST, input_name=name)
        for name, rows in sets.items()
    }
    widths = {name: rows.shape[1] for name, rows in arrays.items()}
    if len(set(widths.values())) > 1:
        raise ValueError(f"train, held_out and generated must have the same number of columns, got {widths}")
    known, unseen, made = arrays.values()
    # components of the training spectra treat held-out and generated ones equally
    components = principal_components(known, n_components)
    inside = [components.coordinates(rows) for rows in (known, unseen, made)]
    everything = [components.with_residual(rows) for rows in (unseen, made)]
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
