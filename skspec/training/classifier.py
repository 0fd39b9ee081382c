"""`NeuralClassifier`, the base class of the neural classifiers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight

from skspec.checks import (
    BOOLEAN,
    FRACTION,
    NON_NEGATIVE,
    Choice,
    Constraints,
    Instance,
    Interval,
    scale_weight,
    unchanged_on_error,
)
from skspec.training.data import check_training_data
from skspec.training.devices import resolve_device
from skspec.training.estimator import NeuralEstimator
from skspec.training.losses import LOSSES, CrossEntropy, Distance, Focal, SoftF1
from skspec.training.net import ClassifierNet
from skspec.training.network import RowNetwork
from skspec.training.prediction import View
from skspec.training.run import train_more
from skspec.training.targets import SoftTargets
from skspec.training.validation import ClassOutputs

_MAX_CLASS_BYTES = 2**26  # of saved classes, whose type may state strings of any width


class NeuralClassifier(ClassifierMixin, NeuralEstimator):
    """Base class of the neural classifiers: loss functions, fit and predictions.

    A subclass sets ``_network_class`` and declares the parameters of that network as annotated fields.

    Other Parameters
    ----------------
    — Loss —
    loss : {"cross_entropy", "focal", "soft_f1", "distance"}
        Loss function: cross-entropy; focal loss (Lin et al. 2017, arXiv:1708.02002), which reduces the weight of
        spectra that are classified correctly with confidence; 1 − macro-averaged F1 score of each batch, with
        probabilities in place of decisions, which needs large batches; or a weighted sum of cross-entropy and the
        distance of the expected class from the true class.
    focal_gamma : float
        Exponent of the focal loss; 0 is cross-entropy.
    class_coordinates : mapping or callable or None
        Coordinates of each class, one number or several (such as temperature and luminosity class), for
        ``loss="distance"``: a mapping with an entry for each label, or a function of the label. With coordinates c, the
        distance term of a spectrum of class y is the mean over axes of (Σ p c - c_y)², where p are the probabilities:
        the weight of an axis is the square of its scale.
    distance_weight : float
        Weight a of the distance in ``loss="distance"``; that of cross-entropy is 1 - a. The published value is 0.75.
    label_smoothing : float
        Probability that is taken from the true class and distributed equally over all classes (Szegedy et al. 2016,
        arXiv:1512.00567).
    class_weight : dict, "balanced" or None
        Weight of each class in the loss, as in scikit-learn; "balanced" gives all classes the same total weight.
    balanced_batches : bool
        Whether to draw training spectra with replacement, all classes equally often, instead of each spectrum once per
        epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    """

    loss: str = "cross_entropy"
    focal_gamma: float = 2.0
    class_coordinates: Mapping[Any, Any] | Callable[[Any], Any] | None = None
    distance_weight: float = 0.75
    label_smoothing: float = 0.0
    class_weight: Mapping[Any, float] | str | None = None
    balanced_batches: bool = False

    _parameter_constraints: ClassVar[Constraints] = {
        "loss": [Choice(LOSSES)],
        "focal_gamma": [NON_NEGATIVE],
        "distance_weight": [FRACTION],
        "label_smoothing": [Interval(Real, 0, 1, "left")],
        "class_weight": [Choice((None, "balanced")), Instance(Mapping, "a dict")],
        "balanced_batches": [BOOLEAN],
    }

    def _check_params(self) -> None:
        super()._check_params()
        if self.loss == "distance" and not (
            isinstance(self.class_coordinates, Mapping) or callable(self.class_coordinates)
        ):
            raise ValueError(
                f"loss='distance' needs class_coordinates, a mapping or a function, got {self.class_coordinates!r}"
            )

    # Public methods -----------------------------------------------------------------------------------

    @unchanged_on_error
    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch on some spectra, at the constant learning rate ``lr``, from the current weights.

        ``max_epochs``, ``schedule``, ``validation_fraction``, ``warm_start`` and ``checkpoint_dir`` are not used.
        Columns are standardised by the statistics of the first call (or of the fit before it).

        Parameters
        ----------
        X : Spectra on one grid, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.
        y : array-like of shape (n_spectra,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels of this and later calls; required in the first call.
        sample_weight : array-like of shape (n_spectra,), default=None
            Weight of each spectrum in the loss.

        Returns
        -------
        NeuralClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            As in fit; if `classes` is missing in the first call or differs in a later one; or if y has other labels.
        FloatingPointError
            If training diverges. The classifier is then as it was before the call.
        """
        self._check_params()
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all labels; for partial_fit, set it to a dict of weights"
            )
        first = not hasattr(self, "net_")
        if classes is not None:
            classes = np.unique(np.asarray(classes))
            if not first and not np.array_equal(classes, self.classes_):
                raise ValueError(f"classes must stay {self.classes_.tolist()}, got {classes.tolist()}")
            if len(classes) < 2:
                raise ValueError(
                    f"classes has only one class, {classes.tolist()[0]!r}; at least two are needed"
                )
        elif first:
            raise ValueError("classes must be given in the first call of partial_fit")
        device = resolve_device(self.device)
        rows, labels, weight, _ = check_training_data(self, X, y, sample_weight, reset=first)
        if first:
            self.classes_: NDArray[Any] = np.asarray(classes)
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown):
            raise ValueError(f"y has labels that are not in classes: {unknown.tolist()}")
        target = np.searchsorted(self.classes_, labels)
        train_more(self, rows, target, self._total_weight(weight, labels), device)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float32]:
        """Return the logits.

        Parameters
        ----------
        X : Spectra on the grid of fit, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.

        Returns
        -------
        ndarray of shape (n_spectra, n_classes), or (n_spectra,) for two classes
            In the order of ``classes_``; for two classes, the logit of the second minus that of the first.
        """
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probabilities of the classes, the softmax of the logits.

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
        """Return the most probable class of each spectrum.

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

    # Training and prediction --------------------------------------------------------------------------

    def _logits(self, X: Any) -> NDArray[np.float32]:
        return self._apply(X, RowNetwork.forward, self._views())

    def _views(self) -> list[View]:
        """Return the views of a spectrum or image over which logits are averaged, with their weights."""
        return []

    def _encode_target(
        self, y: NDArray[Any], weight: NDArray[np.float64] | None, *, warm_start: bool
    ) -> tuple[NDArray[np.intp], NDArray[np.float32] | None, Any]:
        known = getattr(self, "classes_", np.empty(0))
        self.classes_, target = np.unique(y, return_inverse=True)
        if warm_start and not np.array_equal(self.classes_, known):
            raise ValueError(
                f"warm_start needs the classes of the last fit, {known.tolist()}, got {self.classes_.tolist()}"
            )
        if len(self.classes_) < 2:
            raise ValueError(
                f"y has only one class, {self.classes_.tolist()[0]!r}; at least two classes are needed"
            )
        return target, self._total_weight(weight, y), self._coordinates()

    def _total_weight(
        self, weight: NDArray[np.float64] | None, labels: NDArray[Any]
    ) -> NDArray[np.float32] | None:
        """Return the weights of rows times those of their classes, scaled to mean one."""
        if self.class_weight is not None:
            of_class = _weight_of_class(self.class_weight, self.classes_, labels)
            weight = of_class if weight is None else weight * of_class
        return None if weight is None else scale_weight(weight)

    @property
    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _get_output_state(self) -> dict[str, Any]:
        return {"classes": self.classes_.tolist(), "classes_dtype": self.classes_.dtype.str}

    def _set_output_state(self, state: Mapping[str, Any]) -> None:
        classes, dtype = state["classes"], np.dtype(state["classes_dtype"])
        if not isinstance(classes, list) or dtype.itemsize * len(classes) > _MAX_CLASS_BYTES:
            raise ValueError(f"classes of the type {dtype} are not a list, or too large")
        self.classes_ = np.array(classes, dtype=dtype)
        if self.classes_.ndim != 1 or not np.array_equal(np.unique(self.classes_), self.classes_):
            raise ValueError("classes must be at least two, sorted and distinct")

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
            "outputs": ClassOutputs(self.classes_),
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
        """Return the coordinates of the classes, shape (n_classes, n_axes), if the loss needs them."""
        given = self.class_coordinates
        if self.loss != "distance" or given is None:
            return None
        of_class = {}
        for label in self.classes_.tolist():
            if isinstance(given, Mapping) and label not in given:
                numbered = "; VotingClassifier and StackingClassifier number the labels, LogitVotingClassifier does not"
                raise ValueError(
                    f"class_coordinates has no entry for the class {label!r}"
                    + (numbered if isinstance(label, int) else "")
                )
            of_class[label] = np.atleast_1d(
                np.asarray(given[label] if isinstance(given, Mapping) else given(label), dtype=np.float32)
            )
        shapes = {coordinates.shape for coordinates in of_class.values()}
        if len(shapes) > 1 or len(next(iter(shapes))) != 1:
            raise ValueError(
                f"class_coordinates must have the same number of axes for each class, got shapes {sorted(shapes)}"
            )
        coordinates = np.stack(list(of_class.values()))
        if not np.isfinite(coordinates).all():
            raise ValueError("class_coordinates must be finite")
        return coordinates


def _weight_of_class(
    class_weight: Mapping[Any, float] | str, classes: NDArray[Any], labels: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the weight of the class of each label; as in scikit-learn, a class that a dict lacks has weight 1."""
    if isinstance(class_weight, str):
        return compute_sample_weight(class_weight, labels)
    known = classes.tolist()
    unknown = [label for label in class_weight if label not in known]
    if unknown and any(label not in class_weight for label in known):
        raise ValueError(
            f"class_weight has no weight for some of the classes {known}, but one for {unknown[0]!r}, which is not a "
            "class"
        )
    weights = [class_weight.get(label, 1.0) for label in known]
    for label, weight in zip(known, weights, strict=True):
        if not isinstance(weight, Real) or not 0 <= weight < np.inf:
            raise ValueError(
                f"class_weight must have numbers that are finite and not negative, got {weight!r} for {label!r}"
            )
    of_label = np.array(weights, dtype=np.float64)[np.searchsorted(classes, labels)]
    if not of_label.any():
        raise ValueError("class_weight is zero for all classes in y")
    return of_label
