"""The estimator that every neural classifier is: scikit-learn outside, skorch inside.

A family of networks is a subclass: a keyword-only dataclass with the network's parameters and
`NeuralEstimator._build_network`. What is learned is in ``net_`` and a few arrays. To write it to a file and
read it back without pickle there is the pair ``_get_fitted_state`` and ``_set_fitted_state``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import check_scalar
from sklearn.utils.class_weight import compute_sample_weight

from skspec.checks import check_choice, check_groups, check_weight
from skspec.training.augmentation import Transform, shift_weights, shifted
from skspec.training.data import check_training_data
from skspec.training.devices import resolve_device
from skspec.training.estimator import NeuralEstimator
from skspec.training.losses import LOSSES, CrossEntropy, Distance, Focal, SoftF1
from skspec.training.net import ClassifierNet
from skspec.training.network import RowNetwork
from skspec.training.targets import SoftTargets
from skspec.training.validation import ClassAnswers

_Rows = tuple[NDArray[np.float32], NDArray[Any], NDArray[np.float64] | None, NDArray[Any] | None]


@dataclass(kw_only=True, eq=False, repr=False)
class NeuralClassifier(ClassifierMixin, NeuralEstimator):
    """Base of the neural classifiers: what they learn from, and how they are asked.

    Parameters
    ----------
    loss : {"cross_entropy", "focal", "soft_f1", "distance"}, default="cross_entropy"
        What training makes small: cross-entropy; focal loss (Lin et al. 2017, arXiv:1708.02002), in which what is
        already known counts less; one less the macro-averaged F1 score of each batch with probabilities in place of
        decisions, which wants large batches; or cross-entropy and the distance of the expected from the true class.
    focal_gamma : float, default=2.0
        Exponent of the focal loss; 0 is cross-entropy.
    class_coordinates : mapping or callable or None, default=None
        Coordinates of each class, one number or several, for ``loss="distance"``: a mapping with an entry for each
        label, or a function of the label. For example, temperature and luminosity class. With coordinates c, the
        term added for a spectrum of class y is the mean over axes of (Σ p c - c_y)², where p are the
        probabilities: an axis counts by the square of its scale.
    distance_weight : float, default=0.75
        The fraction of that term in ``loss="distance"``, the rest is cross-entropy; 0.75 is the published one.
    label_smoothing : float, default=0.0
        Probability that is taken from the true class and given to all classes alike (Szegedy et al. 2016,
        arXiv:1512.00567).
    class_weight : dict, "balanced" or None, default=None
        Weight of each class in the loss, as in scikit-learn; "balanced" makes all classes count the same.
    balanced_batches : bool, default=False
        Whether training spectra are drawn with replacement so that all classes come equally often, instead of each
        spectrum once in an epoch.
    tta_shifts : int or mapping of int to float, default=0
        Test-time augmentation: logits are averaged over copies of each spectrum shifted by whole pixels. A number k
        stands for the shifts -k … k with Gaussian weights; a mapping gives the weight of each shift.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when X had names.
    wave_ : ndarray of shape (n_pixels,)
        Vacuum wavelengths in Å, when X was `Spectra`; predictions then need the same grid, to 1e-6 relative.
    net_ : skorch.NeuralNetClassifier
        The trained net; ``net_.module_`` is the network, which takes rows of X.
    history_ : astropy.table.Table
        A row for each epoch: epoch, train_loss, valid_loss, valid_score, lr, dur (seconds), and what callbacks
        recorded.
    best_epoch_ : int
        The epoch whose weights were kept, counted from 1, with `validation_fraction`.

    See Also
    --------
    NeuralEstimator : The parameters of training.

    Notes
    -----
    The network sees standardised columns: each is centred on its mean and divided by its standard deviation
    in the training spectra (an image by those of its channels). A missing pixel (NaN, or ``ivar`` 0 in `Spectra`) is
    thereby given as the training mean of its column, and a column missing in all training spectra is ignored.
    Infinite values are an error, and so is a spectrum without any valid pixel.

    Spectra differ in brightness: normalise them first, for example by `FluxNormalizer`.
    """

    loss: str = "cross_entropy"
    focal_gamma: float = 2.0
    class_coordinates: Mapping[Any, Any] | Callable[[Any], Any] | None = None
    distance_weight: float = 0.75
    label_smoothing: float = 0.0
    class_weight: Mapping[Any, float] | str | None = None
    balanced_batches: bool = False
    tta_shifts: int | Mapping[int, float] = 0

    def _check_params(self) -> None:
        super()._check_params()
        check_choice("loss", self.loss, LOSSES)
        check_scalar(self.focal_gamma, "focal_gamma", Real, min_val=0)
        check_scalar(self.distance_weight, "distance_weight", Real, min_val=0, max_val=1)
        check_scalar(
            self.label_smoothing, "label_smoothing", Real, min_val=0, max_val=1, include_boundaries="left"
        )
        if self.loss == "distance" and not (
            isinstance(self.class_coordinates, Mapping) or callable(self.class_coordinates)
        ):
            raise ValueError(
                f"loss='distance' needs class_coordinates, a mapping or a function, got {self.class_coordinates!r}"
            )
        if not isinstance(self.class_weight, Mapping):
            check_choice("class_weight", self.class_weight, (None, "balanced"))
        check_choice("balanced_batches", self.balanced_batches, (True, False))
        if not isinstance(self.tta_shifts, Mapping):
            check_scalar(self.tta_shifts, "tta_shifts", Integral, min_val=0)
        elif not self.tta_shifts or min(self.tta_shifts.values()) < 0 or not any(self.tta_shifts.values()):
            raise ValueError(
                f"tta_shifts needs weights that are not negative nor all 0, got {self.tta_shifts!r}"
            )

    # What a user calls --------------------------------------------------------------------------------

    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Self:
        """Train the network: from scratch, or with ``warm_start`` from where the last fit ended.

        Parameters
        ----------
        X : Spectra on one grid, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.
        y : array-like of shape (n_spectra,)
            Labels: strings, integers or whatever scikit-learn takes for classes.
        sample_weight : array-like of shape (n_spectra,), default=None
            Weight of each spectrum in the loss; only their ratios matter. Spectra of weight 0 are left out.
        groups : array-like of shape (n_spectra,), default=None
            Spectra with the same value, for example of the same star, are never on both sides of
            ``validation_fraction``.

        Returns
        -------
        NeuralClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If a parameter is out of range, y has one class only, grids of `Spectra` differ, X has infinite
            values or a row without a valid pixel, lengths disagree, validation spectra cannot be held out, or
            classes or columns are not those of the fit that ``warm_start`` goes on from.
        TypeError
            If a parameter has the wrong type, or X is an astropy Quantity.
        """
        self._check_params()
        device = resolve_device(self.device)
        start = getattr(self, "net_", None) if self.warm_start else None
        known = getattr(self, "classes_", np.empty(0))
        rows, labels, weight, groups = self._check_rows(X, y, sample_weight, groups, reset=start is None)
        self.__dict__.pop("net_", None)  # a fit that fails leaves no model of other data behind
        self.classes_, target = np.unique(labels, return_inverse=True)
        if start is not None and not np.array_equal(self.classes_, known):
            raise ValueError(
                f"warm_start needs the classes of the last fit, {known.tolist()}, got {self.classes_.tolist()}"
            )
        if len(self.classes_) < 2:
            raise ValueError(
                f"y has one class only, {self.classes_.tolist()[0]!r}; at least two classes are needed"
            )
        self._train(
            rows,
            target,
            _times(weight, self.class_weight, labels),
            groups=groups,
            device=device,
            start=start,
            identity=self._coordinates(),
        )
        return self

    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Pass once over some spectra, at the constant learning rate ``lr``, keeping what was learned before.

        ``max_epochs``, ``schedule``, ``validation_fraction``, ``warm_start`` and ``checkpoint_dir`` have no say
        here. Columns are standardised as the spectra of the first call (or the fit before it) ask for.

        Parameters
        ----------
        X : Spectra on one grid, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.
        y : array-like of shape (n_spectra,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed in the first call.
        sample_weight : array-like of shape (n_spectra,), default=None
            Weight of each spectrum in the loss.

        Returns
        -------
        NeuralClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            As in fit; if `classes` is missing in the first call or another one later; or if y has other labels.
        """
        self._check_params()
        if self.class_weight == "balanced":
            raise ValueError("class_weight='balanced' needs all labels; give partial_fit a dict of weights")
        first = not hasattr(self, "net_")
        if classes is not None:
            classes = np.unique(np.asarray(classes))
            if not first and not np.array_equal(classes, self.classes_):
                raise ValueError(f"classes must stay {self.classes_.tolist()}, got {classes.tolist()}")
            if len(classes) < 2:
                raise ValueError(
                    f"classes has one class only, {classes.tolist()[0]!r}; at least two are needed"
                )
        elif first:
            raise ValueError("classes must be given in the first call of partial_fit")
        device = resolve_device(self.device)
        rows, labels, weight, _ = self._check_rows(X, y, sample_weight, None, reset=first)
        if first:
            self.classes_ = np.asarray(classes)
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown):
            raise ValueError(f"y has labels that classes lacks: {unknown.tolist()}")
        target = np.searchsorted(self.classes_, labels)
        self._train_more(rows, target, _times(weight, self.class_weight, labels), device)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float32]:
        """Logits.

        Parameters
        ----------
        X : Spectra on the grid of fit, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.

        Returns
        -------
        ndarray of shape (n_spectra, n_classes), or (n_spectra,) for two classes
            In the order of ``classes_``; for two classes, that of the second less that of the first.
        """
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities: the softmax of the logits.

        Parameters
        ----------
        X : Spectra on the grid of fit, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.

        Returns
        -------
        ndarray of shape (n_spectra, n_classes)
            In the order of ``classes_``; rows sum to 1 in float64.
        """
        return softmax(self._logits(X).astype(np.float64), axis=1)

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable class of each spectrum.

        Parameters
        ----------
        X : Spectra on the grid of fit, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.

        Returns
        -------
        ndarray of shape (n_spectra,)
        """
        best = self._logits(X).argmax(axis=1)
        return self.classes_[best]

    # How it is done -----------------------------------------------------------------------------------

    def _logits(self, X: Any) -> NDArray[np.float32]:
        return self._apply(X, RowNetwork.forward, self._views())

    def _views(self) -> list[tuple[float, Transform]]:
        """Ways to look at spectra when predicting, with their weights."""
        if not self.tta_shifts:
            return []
        return [(w, partial(shifted, shift=s)) for s, w in shift_weights(self.tta_shifts).items()]

    def _check_rows(self, X: Any, y: Any, sample_weight: Any, groups: Any, *, reset: bool) -> _Rows:
        """Rows, labels, weights and groups to learn from; those without weight are left out."""
        rows, labels = check_training_data(self, X, y, reset=reset)
        weight = None if sample_weight is None else check_weight(sample_weight, len(rows))
        groups = None if groups is None else check_groups(groups, len(rows))
        if weight is None or weight.all():
            return rows, labels, weight, groups
        known = weight > 0
        return rows[known], labels[known], weight[known], None if groups is None else groups[known]

    @property
    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _get_answer_state(self) -> dict[str, Any]:
        return {"classes": self.classes_.tolist(), "classes_dtype": self.classes_.dtype.str}

    def _set_answer_state(self, state: Mapping[str, Any]) -> None:
        self.classes_ = np.array(state["classes"], dtype=state["classes_dtype"])

    _net_class = ClassifierNet

    def _net_options(self, generator: np.random.Generator) -> dict[str, Any]:
        soften = None
        if self.label_smoothing or self.mixup:
            soften = SoftTargets(
                len(self.classes_),
                label_smoothing=self.label_smoothing,
                mixup=self.mixup,
                generator=generator,
            )
        return {
            "criterion": self._criterion(),
            "soften": soften,
            "answers": ClassAnswers(self.classes_),
            "classes": np.arange(len(self.classes_)),
            "balance": self.balanced_batches,
        }

    def _criterion(self) -> torch.nn.Module:
        if self.loss == "focal":
            return Focal(self.focal_gamma)
        if self.loss == "soft_f1":
            return SoftF1()
        coordinates = self._coordinates()
        if coordinates is None:
            return CrossEntropy()
        return Distance(torch.from_numpy(coordinates), self.distance_weight)

    def _coordinates(self) -> NDArray[np.float32] | None:
        """Coordinates of the classes, shape (n_classes, n_axes), where the loss asks for them."""
        given = self.class_coordinates
        if self.loss != "distance" or given is None:
            return None
        of_class = {}
        for label in self.classes_.tolist():
            if isinstance(given, Mapping) and label not in given:
                numbered = "; VotingClassifier and StackingClassifier number labels, LogitVotingClassifier keeps them"
                raise ValueError(
                    f"class_coordinates has nothing for the class {label!r}"
                    + (numbered if isinstance(label, int) else "")
                )
            of_class[label] = np.atleast_1d(
                np.asarray(given[label] if isinstance(given, Mapping) else given(label), dtype=np.float32)
            )
        shapes = {coordinates.shape for coordinates in of_class.values()}
        if len(shapes) > 1 or len(next(iter(shapes))) != 1:
            raise ValueError(
                f"class_coordinates must have as many axes for each class, got shapes {sorted(shapes)}"
            )
        coordinates = np.stack(list(of_class.values()))
        if not np.isfinite(coordinates).all():
            raise ValueError("class_coordinates must be finite")
        return coordinates


def _times(
    weight: NDArray[np.float64] | None, class_weight: Any, labels: NDArray[Any]
) -> NDArray[np.floating] | None:
    """Weights of rows with those of their classes, with mean one."""
    if class_weight is not None:
        of_class = compute_sample_weight(class_weight, labels)
        weight = of_class if weight is None else weight * of_class
    return None if weight is None else (weight / weight.mean()).astype(np.float32)
