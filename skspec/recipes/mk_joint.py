"""Joint MK classes of stars, temperature and luminosity: the system of volgasezen/StellarClassification."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline, make_pipeline

import skspec
from skspec.checks import check_choice
from skspec.metrics import accuracy, bootstrap_interval
from skspec.mk import joint_class, mk_coordinates, mk_grid
from skspec.preprocessing import ContinuumNormalizer
from skspec.recipes._system import PublishedGrid, PublishedScore, PublishedSystem, ScoredPredictions

_GRID = PublishedGrid(float(np.log10(4000.0)), float(np.log10(6800.0)), 2305, (4000.3685, 6799.8605))

_NETWORKS: dict[str, Callable[..., Any]] = {  # the default first
    "conv1d-v2": lambda **params: skspec.Conv1DClassifier(
        filters=(32, 128, 512, 2048, 512, 128, 32),
        strides=(1, 2, 2, 2, 2, 2, 2),
        hidden=(2048,),
        dropout=0.0,
        batch_norm=False,
        lr=5e-5,
        batch_size=128,
        **params,
    ),
    "conv1d-v1": lambda **params: skspec.Conv1DClassifier(
        filters=(512, 256, 128, 64),
        strides=1,
        head="channel_max",
        hidden=(2048, 1024),
        dropout=0.0,
        batch_norm=False,
        optimizer="adam",
        weight_decay=0.0,
        lr=1e-4,
        batch_size=16,
        **params,
    ),
    "resnet50": lambda **params: skspec.ResNet1DClassifier(depth=50, lr=1e-4, batch_size=128, **params),
    "convtran": lambda **params: skspec.ConvTranClassifier(
        embed_dim=64,
        n_heads=16,
        feedforward_dim=256,
        relative_encoding=None,
        dropout=0.01,
        lr=1e-3,
        batch_size=8,
        **params,
    ),
    "convkan": lambda **params: skspec.ConvKANClassifier(
        filters=(64, 128, 256, 512), strides=(1, 2, 2, 1), lr=1e-4, batch_size=128, **params
    ),
}

_PREDICTIONS = "mk_test_predictions.npz"
_TABLE = {  # name: logits in that file, whose mean is scored; published macro-F1, MAE, QWK (T), QWK (L)
    "0 ConvKAN": (("convkan",), (0.522, 0.405, 0.964, 0.725)),
    "1 ConvTran": (("convtran",), (0.567, 0.269, 0.980, 0.861)),
    "2 Conv1D-v1": (("conv1d_old",), (0.597, 0.236, 0.980, 0.903)),
    "3 ResNet50": (("resnet50_1d",), (0.585, 0.322, 0.982, 0.798)),
    "4 Conv1D-v2": (("conv1d_best",), (0.628, 0.269, 0.979, 0.865)),
    "5 Conv1D-v2, α = .5": (("conv1d_half_ord",), (0.609, 0.254, 0.983, 0.875)),
    "6 Conv1D-v2, α = 0": (("conv1d_no_ord",), (0.615, 0.258, 0.983, 0.877)),
    "(1,3)": (("convtran", "resnet50_1d"), (0.652, 0.230, 0.987, 0.880)),
    "(3,4,6)": (("resnet50_1d", "conv1d_best", "conv1d_no_ord"), (0.677, 0.231, 0.985, 0.883)),
    "(3,4)": (("resnet50_1d", "conv1d_best"), (0.676, 0.232, 0.983, 0.884)),
}
_ROW_OF_NETWORK = {
    "conv1d-v1": "2 Conv1D-v1",
    "conv1d-v2": "4 Conv1D-v2",
    "resnet50": "3 ResNet50",
    "convtran": "1 ConvTran",
    "convkan": "0 ConvKAN",
}


def mk_joint(
    *,
    network: str = "conv1d-v2",
    prepared: bool = False,
    max_epochs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Pipeline:
    """Classify stars by temperature and luminosity class together: the 39 joint MK classes from OI to MVI.

    The system of volgasezen/StellarClassification [1]_, with bugs fixed. Spectra are resampled onto 2305 bins
    between 4000 and 6800 Å and divided by their running median over 100 pixels. A network is trained on class-balanced
    batches with added noise (σ from 0.01 to 0.05). Its loss is cross-entropy plus the squared distance of the expected
    temperature and luminosity class from the true ones.

    Parameters
    ----------
    network : {"conv1d-v1", "conv1d-v2", "resnet50", "convtran", "convkan"}, default="conv1d-v2"
        Published network; they have 19, 40, 16, 0.07 and 5 million weights. "conv1d-v2" is the best of them; the best
        pair is "conv1d-v2" and "resnet50".
    prepared : bool, default=False
        Whether X is like the published file: on its grid (linear, 2305 points from 4000.37 to 6799.86 Å) and divided by
        the median. If so, missing pixels are filled instead of the first two steps.
    max_epochs : int or None, default=None
        Number of epochs; None means the published 200, which need a GPU.
    random_state : int, RandomState instance or None, default=None
        Seed of the random number generator.

    Returns
    -------
    Pipeline
        Unfitted: `LogWaveResampler`, `ContinuumNormalizer`, classifier; if `prepared`, `MissingFluxImputer` and the
        classifier.

    Raises
    ------
    ValueError
        If `network` is unknown.

    See Also
    --------
    skspec.mk.joint_class : Convert MK types to joint classes.
    skspec.metrics.published_scores : Compute the scores of the published table.

    Notes
    -----
    **Data.** X: `Spectra` that cover 4000 to 6800 Å, at rest (published: redshift below 2.4 Å / 6800 Å), with the same
    resolution (match each survey with `ResolutionMatcher`); if `prepared`, `Spectra` or an array of shape
    (n_spectra, 2305). y: joint classes such as "GV". Published: 8622 spectra of 5674 stars of SDSS, CFLIB, ELODIE, SOPHIE
    and XSL, as ``dataset_subset.fits``, which `read_spectra` reads with classes in ``meta["class"]``.

    **Ensembles.** Use `LogitVotingClassifier`, which passes the labels on unchanged. scikit-learn's VotingClassifier and
    StackingClassifier encode them as integers, which have no coordinates: fit raises an error.

    **Published scores** on 1295 spectra (all but F1 with equal weights of the classes, see
    `skspec.metrics.published_scores`):

    =========  =====  =====  ======  ======
    network    F1     MAE    QWK(T)  QWK(L)
    =========  =====  =====  ======  ======
    conv1d-v1  0.597  0.236  0.980   0.903
    conv1d-v2  0.628  0.269  0.979   0.865
    resnet50   0.585  0.322  0.982   0.798
    convtran   0.567  0.269  0.980   0.861
    convkan    0.522  0.405  0.964   0.725
    =========  =====  =====  ======  ======

    They are too high for new stars. Half of the ELODIE test spectra are of stars that are also in the training set; the
    best ensemble classifies 96 % of these correctly, and 66 % of the others. Cross-validate with
    ``groups=X.sky_groups()``.

    **Bugs fixed.**

    - Resolution: the published smoothing takes the pixel step for the line width, and is too weak by the step of the
      coarsest grid, 1.4757 Å. Here resolution is left to `ResolutionMatcher`.
    - Resampling: bins are means over pixels, which conserves flux, and equally wide in log wavelength, so that a velocity
      is a shift (published: a spline at linear steps). Gaps are filled by linear interpolation, and both ends with the
      nearest bin.
    - Labels: `skspec.mk.joint_class`, which is tested, determines the class of a range such as III-IV.
    - The epoch is chosen by the macro-F1 of 15/85 of the spectra given to fit, never by test spectra (as it was for
      ConvTran). ``groups`` given to the classifier's fit, for "resnet50" as ``resnet1dclassifier__groups``, keep the
      spectra of a star together.
    - Test-time shifts (``tta_shifts=5``) extend each spectrum by its end values; the published ones roll the whole batch,
      so that the end of one spectrum leaks into the next. They are off, since they lowered the published scores.
    - ConvKAN: flux is scaled into the range of the splines (``input_scale=0.5``); flux divided by its median would be
      at its edge. Conv1D-v1: an unused convolution (65 weights) is left out.

    **Differences.** Columns are standardised. β of the optimisers is torch's default (published: 0.9 and 0.95 or 0.75).
    The learning rate is constant, as it was by mistake; ``schedule="plateau"`` was intended. How ConvKAN was trained is
    unknown; the settings of ResNet50 are used. The published file was not available; the order of the script implies
    that its flux is divided by the median, not that the median is subtracted.

    References
    ----------
    .. [1] https://github.com/volgasezen/StellarClassification, commit a4b332a.

    Examples
    --------
    >>> from skspec.recipes import mk_joint
    >>> model = mk_joint(network="resnet50", max_epochs=20, random_state=0)
    >>> [name for name, _ in model.steps]
    ['logwaveresampler', 'continuumnormalizer', 'resnet1dclassifier']
    >>> from skspec import Noise, VelocityShift
    >>> model = model.set_params(resnet1dclassifier__augment=[VelocityShift(100.0), Noise((0.01, 0.05))])
    """
    check_choice("network", network, _NETWORKS)
    classifier = _NETWORKS[network](
        loss="distance",
        class_coordinates={label: mk_coordinates(label) for label in mk_grid(full=True).tolist()},
        distance_weight=0.75,
        balanced_batches=True,
        augment=[skspec.Noise((0.01, 0.05))],
        schedule="constant",
        max_epochs=200 if max_epochs is None else max_epochs,
        validation_fraction=0.15 / 0.85,  # of what is not the test set
        scoring="f1_macro",
        n_iter_no_change=None,
        random_state=random_state,
    )
    first = _GRID.first_step(prepared=prepared)
    return make_pipeline(first, *([] if prepared else [ContinuumNormalizer()]), classifier)


def published_table(path: Path, *, n_resamples: int = 1000) -> ScoredPredictions:
    """Compute the published table from the file of published logits."""
    classes = mk_grid()
    data = _load_predictions(path, len(classes))
    y = classes[data["y_true"].astype(int)]
    rows: list[Any] = []
    for name, (members, published) in _TABLE.items():
        logits = np.mean([data[f"scores_{member}"] for member in members], axis=0)
        predicted = classes[logits.argmax(axis=1)]
        computed = [
            bootstrap_interval(
                y, predicted, score.score, n_resamples=n_resamples, random_state=1337, **score.params
            )
            for score in SYSTEM.scores
        ]
        rows.append((name, published, computed))
    known, new = data["elodie_star_also_in_train"] == 1, data["elodie_star_also_in_train"] == 0
    note = (
        f"{_comparison(rows)} Some stars have spectra in both the training and the test set: the ensemble in the last "
        f"row classifies {accuracy(y[known], predicted[known]):.3f} of the {known.sum()} ELODIE spectra of such stars "
        f"correctly, and {accuracy(y[new], predicted[new]):.3f} of the {new.sum()} ELODIE spectra of other stars."
    )
    return ScoredPredictions(len(y), rows, note)


def _comparison(rows: list[Any]) -> str:
    """Return which published values are not the computed ones, rounded or truncated to three decimals."""
    cells = [
        (f"{score.name} of {name}", round(1000 * value), 1000 * result.score)
        for name, published, computed in rows
        for score, value, result in zip(SYSTEM.scores, published, computed, strict=True)
    ]
    differ = [name for name, value, found in cells if value not in (round(found), int(found))]
    if not differ:
        return f"All {len(cells)} published values are reproduced (rounded or truncated to three decimals)."
    return f"{len(differ)} of {len(cells)} published values are not reproduced: {'; '.join(differ)}."


def _load_predictions(path: Path, n_classes: int) -> dict[str, NDArray[Any]]:
    shapes: dict[str, tuple[int, ...]] = {"y_true": (), "elodie_star_also_in_train": ()}
    shapes |= {f"scores_{member}": (n_classes,) for members, _ in _TABLE.values() for member in members}
    try:
        with open(path, "rb") as opened, np.load(opened) as file:
            data = {name: file[name] for name in shapes}
        wrong = next((k for k, v in data.items() if v.shape != (len(data["y_true"]), *shapes[k])), None)
        if wrong is None and not np.isin(data["y_true"], np.arange(n_classes)).all():
            wrong = "y_true"
    except KeyError as error:
        raise ValueError(f"{path} does not hold the published predictions: {error.args[0]}") from error
    except Exception as error:  # numpy and zipfile raise errors of many kinds
        raise ValueError(f"{path} is damaged, or is not a NumPy archive") from error
    if wrong is not None:
        raise ValueError(f"{path} does not hold the published predictions: wrong shape or values of {wrong}")
    return data


class _MKJoint(PublishedSystem):
    def find_predictions(self, path: Path) -> Callable[[], ScoredPredictions] | None:
        file = path / _PREDICTIONS if path.is_dir() else path
        return partial(published_table, file) if file.name == _PREDICTIONS and file.is_file() else None


def _score(name: str, score: str, column: int, **params: str) -> PublishedScore:
    published: dict[str | None, float] = {
        network: _TABLE[row][1][column] for network, row in _ROW_OF_NETWORK.items()
    }
    return PublishedScore(name, score, params, published)


SYSTEM = _MKJoint(
    mk_joint,
    scores=(
        _score("macro-F1", "f1_macro", 0),
        _score("MAE", "joint_mae", 1, class_weight="balanced"),
        _score("QWK (T)", "joint_kappa", 2, class_weight="balanced"),
        _score("QWK (L)", "joint_kappa", 3, order="luminosity", class_weight="balanced"),
    ),
    test_fraction=0.15,
    stratified=True,
    protocol="spectrum by spectrum, class by class, 15 % for testing",
    networks=tuple(_NETWORKS),
    grid=_GRID,
    reduce_labels=joint_class,
    object_names=True,
)
