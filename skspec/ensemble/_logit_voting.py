"""`LogitVotingClassifier`, the mean of the logits of several classifiers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import ClassifierMixin, clone
from sklearn.ensemble._base import _BaseHeterogeneousEnsemble
from sklearn.utils import Bunch
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skspec.checks import COUNT, Choice, Constraints, check_parameters, unchanged_on_error
from skspec.ensemble._combining import greedy_counts, log_loss, spread, temperature
from skspec.ensemble._labelled_rows import LabelledRows
from skspec.ensemble._members import (
    METHODS,
    MIXED,
    check_member,
    fit_arguments,
    fit_member,
    get_outputs,
    known_classes,
    member_logits,
    out_of_fold_outputs,
    some_rows,
    take_held_out_logits,
    take_logits,
)
from skspec.metrics import KnownLogits, get_scorer

_SCALES: Mapping[str, Callable[..., float]] = {
    "standard": lambda logits, target, weight: spread(logits, weight),
    "temperature": temperature,
}
_MAX_WEIGHT = 1e100  # sums of weights times logits must not overflow
_LEARNED = {"classes_", "weights_", "scales_", "logit_methods_", "n_features_in_", "feature_names_in_"}


class LogitVotingClassifier(ClassifierMixin, _BaseHeterogeneousEnsemble):
    """Classify by the mean of the logits of several classifiers.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples
        The members, with their names. "drop" in place of a member leaves it out, as in
        `~sklearn.ensemble.VotingClassifier`, for example by ``set_params(net="drop")``.
    weights : array-like of shape (n_estimators,) or None, default=None
        Weight of each member; only ratios matter, and members of weight 0 are not trained. With None, all weights are
        equal, or determined by `selection`.
    scaling : {"standard", "temperature"} or None, default=None
        Divisor of the logits of each member, determined from out-of-fold logits: "standard" is their standard deviation
        about the mean of each spectrum; "temperature" minimises the log loss of the member (Guo et al. 2017,
        arXiv:1706.04599; labels are smoothed by 1e-3, to avoid temperature 0 for members without errors). With None,
        logits are not scaled, and the member with the widest logits dominates. The probabilities of the ensemble are
        well calibrated with "temperature", and strongly underconfident with "standard".
    selection : {"greedy"} or None, default=None
        "greedy" starts without members and adds, `max_members` times, the one that maximises the out-of-fold score of the
        ensemble, with replacement (Caruana et al. 2004, doi:10.1145/1015330.1015432); of equally good members, the first.
        The best of all these ensembles is kept; of equally good ones, the smallest. Only its members are then trained on
        all spectra.
    max_members : int, default=20
        Number of members that `selection` adds, including repetitions.
    scoring : str, callable or None, default=None
        Score that `selection` maximises: a scorer or its name, of scikit-learn or of `skspec.metrics.get_scorer`; None
        minimises the log loss.
    cv : int, splitter, iterable, "prefit" or None, default=5
        Folds for `scaling` and `selection`: a number of folds (stratified, and grouped if `groups` are passed), a
        scikit-learn splitter, or pairs of indices; each spectrum must be in exactly one test set. None means 5. With
        "prefit", members are already fitted: `scaling` and `selection` use X and y of `fit`, which must not be the
        training data of the members.
    n_jobs : int or None, default=None
        Number of members (and folds) to train in parallel, in processes that share the threads of the processor. As in
        scikit-learn, None means 1 and -1 all processors.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    estimators_ : list of estimators
        The fitted members with nonzero weight, in their order.
    named_estimators_ : `~sklearn.utils.Bunch`
        The fitted members by name.
    weights_ : ndarray of shape (n_estimators,)
        Weight of each member of `estimators`, with sum 1; 0 for members that are dropped or not selected.
    scales_ : ndarray of shape (n_estimators,)
        Divisor of the logits of each member; 1 without `scaling`, NaN for members that are dropped or given weight 0.
    logit_methods_ : list of {"decision_function", "predict_proba"}
        Method from which the logits of each of ``estimators_`` are taken.
    n_features_in_ : int
        Number of columns seen in fit, if the first of ``estimators_`` has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if the first of ``estimators_`` has them.

    See Also
    --------
    sklearn.ensemble.VotingClassifier : Mean of probabilities, or majority vote.
    sklearn.ensemble.StackingClassifier : Classifier trained on the predictions of members.

    Notes
    -----
    The mean of logits is the logarithm of the geometric mean of probabilities, up to a constant shared by
    all classes: one member can veto a class. The published ensembles of joint MK classification
    (https://github.com/volgasezen/StellarClassification) are of this kind, without scaling.

    The logits of a member are its ``decision_function`` if its probabilities are the softmax of that, as for the networks
    of skspec, `~sklearn.linear_model.LogisticRegression` and gradient boosting. Otherwise they are the logarithms of its
    probabilities, as for trees, nearest neighbours and calibrated classifiers. This is decided on all folds together;
    without `scaling` and `selection`, on up to 256 of the training spectra. Probabilities below 1e-3 are replaced by
    1e-3, since forests assign probability 0 to classes that are absent from all leaves: on stars of MILES, forests of 100
    to 300 trees have the lowest log loss with a floor between 1e-3 and 3e-3, both for 6 classes with 150 training spectra
    and for 27 classes with 500. If a member has no probabilities, such as `~sklearn.svm.SVC`, its ``decision_function``
    is used. The scale of these margins is arbitrary, so use ``scaling="temperature"``. If a ``decision_function`` has one
    column, the logits of the two classes are minus and plus half of it.

    A class without training spectra in a fold has probability 1e-3 there, before scaling.

    `sample_weight` and `groups` are passed to the members that accept them; in a pipeline to its last step, unless a
    sampler precedes it. A search uses groups for its own folds (its splitter must use them, as
    `~sklearn.model_selection.StratifiedGroupKFold` does: a number of folds ignores them, with a warning), and passes
    weights to its estimator. Voting and stacking classifiers receive weights if all their members accept them, and never
    groups. The ensemble itself uses no random numbers; members have their own ``random_state``.

    Examples
    --------
    >>> from sklearn.ensemble import ExtraTreesClassifier
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from skspec import FluxNormalizer, LogitVotingClassifier, LogWaveResampler, make_spectra
    >>> spectra = make_spectra(90, random_state=0)
    >>> members = [("trees", ExtraTreesClassifier(50, random_state=0)), ("neighbours", KNeighborsClassifier())]
    >>> ensemble = LogitVotingClassifier(members, scaling="temperature", selection="greedy", cv=3)
    >>> model = make_pipeline(LogWaveResampler(missing="interpolate"), FluxNormalizer(), ensemble)
    >>> model.fit(spectra, spectra.meta["class"]).score(spectra, spectra.meta["class"]) > 0.9
    True
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "scaling": [Choice((None, *_SCALES))],
        "selection": [Choice((None, "greedy"))],
        "max_members": [COUNT],
    }

    def __init__(
        self,
        estimators: Sequence[tuple[str, Any]],
        *,
        weights: ArrayLike | None = None,
        scaling: str | None = None,
        selection: str | None = None,
        max_members: int = 20,
        scoring: str | Callable[..., float] | None = None,
        cv: Any = 5,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(estimators)
        self.weights = weights
        self.scaling = scaling
        self.selection = selection
        self.max_members = max_members
        self.scoring = scoring
        self.cv = cv
        self.n_jobs = n_jobs

    @unchanged_on_error
    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Self:
        """Train the members and determine their scales and weights.

        If this fails or is interrupted, the ensemble is left as it was before.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_features)
            Passed to the members unchanged.
        y : array-like of shape (n_spectra,)
            Class labels, passed to the members unchanged.
        sample_weight : array-like of shape (n_spectra,), default=None
            Weight of each spectrum, for members, scales and selection.
        groups : array-like of shape (n_spectra,), default=None
            Group of each spectrum, for example its star. No group is in both the training and the test set of a fold.

        Returns
        -------
        LogitVotingClassifier
            The ensemble itself.

        Raises
        ------
        ValueError
            If a parameter is invalid, y has only one class or missing labels, groups are missing, lengths differ, a
            member has no logits or does not accept weights, folds do not test each spectrum once, or fitted members have
            different classes.
        TypeError
            If a parameter has the wrong type.
        FloatingPointError
            If the training of a member diverges, or its output is NaN.
        sklearn.exceptions.NotFittedError
            If a member is not fitted with ``cv="prefit"``.
        """
        names, members = self._validate_estimators()
        check_parameters(self)
        weights = self._initial_weights(members)
        data = LabelledRows.of(self, X, y, sample_weight, groups)
        used = [k for k, member in enumerate(members) if member != "drop" and weights[k] > 0]
        chosen = [(names[k], members[k]) for k in used]
        classes = known_classes(chosen, data.labels) if self._is_prefit else data.classes
        for _, member in chosen:
            check_member(member, len(classes))
        tasks = [self._task(name, member, data) for name, member in chosen]

        scales = np.full(len(members), np.nan)
        scales[used] = 1.0
        methods: list[str] | None = None
        if self.scaling is not None or self.selection is not None:
            methods, logits = self._held_out_logits(chosen, tasks, data, classes)
            target = np.searchsorted(classes, data.labels)
            if self.scaling is not None:
                scale = _SCALES[self.scaling]
                scales[used] = [scale(of_member, target, data.weight) for of_member in logits]
                logits /= scales[used][:, None, None]
            if self.selection is not None:
                weights[used] = greedy_counts(logits, self._score(data, classes), self.max_members)
        weights[[k not in used for k in range(len(members))]] = 0.0

        kept = [i for i, k in enumerate(used) if weights[k] > 0]
        if self._is_prefit:
            fitted = [chosen[i][1] for i in kept]
        else:
            fitted = Parallel(n_jobs=self.n_jobs)(
                delayed(fit_member)(clone(chosen[i][1]), **tasks[i]) for i in kept
            )
        if methods is None:
            seen = some_rows(data.X)
            outputs = [
                get_outputs(member, seen, name=chosen[i][0]) for i, member in zip(kept, fitted, strict=True)
            ]
            methods = [take_logits([output], classes)[0] for output in outputs]
        else:
            methods = [methods[i] for i in kept]
            if not all(map(hasattr, fitted, methods)):
                raise ValueError(MIXED)
        self.classes_ = classes
        self.weights_ = weights / weights.sum()
        self.scales_ = scales
        self.estimators_ = fitted
        self.logit_methods_ = methods
        self._fitted_names = list(names)
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
            if hasattr(fitted[0], name):
                setattr(self, name, getattr(fitted[0], name))
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the logits: the weighted mean of the scaled logits of the members.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_features)

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
        X : Spectra, or array-like of shape (n_spectra, n_features)

        Returns
        -------
        ndarray of shape (n_spectra, n_classes)
            In the order of ``classes_``.
        """
        return softmax(self._logits(X), axis=1)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class with the highest logit for each spectrum.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_features)

        Returns
        -------
        ndarray of shape (n_spectra,)
        """
        best = self._logits(X).argmax(axis=1)
        return self.classes_[best]

    @property
    def named_estimators_(self) -> Bunch:
        """The fitted members with nonzero weight, by name."""
        check_is_fitted(self)
        return Bunch(**{self._fitted_names[k]: member for k, member in self._kept()})

    def _logits(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        return sum(
            self.weights_[k]
            / self.scales_[k]
            * member_logits(member, X, self.classes_, method, name=self._fitted_names[k])
            for (k, member), method in zip(self._kept(), self.logit_methods_, strict=True)
        )

    def _kept(self) -> Iterator[tuple[int, Any]]:
        """Return the fitted members with nonzero weight, each with its index in `estimators`."""
        return zip(np.flatnonzero(self.weights_).tolist(), self.estimators_, strict=True)

    def _initial_weights(self, members: Sequence[Any]) -> NDArray[np.float64]:
        """Return the weight of each member before any selection."""
        if self.weights is None:
            return np.ones(len(members))
        if self.selection is not None:
            raise ValueError(
                "weights are determined by selection='greedy'; one of the two parameters must be None"
            )
        if np.asarray(self.weights).dtype.kind not in "biuf":
            raise TypeError(f"weights must be numbers, got {self.weights!r}")
        weights = np.array(self.weights, dtype=np.float64)
        if weights.shape != (len(members),):
            raise ValueError(
                f"weights has shape {weights.shape}; ({len(members)},) is needed, one per member"
            )
        if not (np.isfinite(weights) & (weights >= 0)).all():
            raise ValueError(f"weights must be finite and not negative, got {weights.tolist()}")
        if weights.max() > _MAX_WEIGHT:
            raise ValueError(f"weights must be at most {_MAX_WEIGHT:g}, got {weights.tolist()}")
        if not any(w > 0 for w, member in zip(weights, members, strict=True) if member != "drop"):
            raise ValueError("weights are zero for all members that are not dropped")
        return weights

    @property
    def _is_prefit(self) -> bool:
        return isinstance(self.cv, str) and self.cv == "prefit"

    def _task(self, name: str, member: Any, data: LabelledRows) -> dict[str, Any]:
        """Return the arguments of `fit_member` for a member."""
        arguments = {} if self._is_prefit else fit_arguments(name, member, data)
        return {"name": name, "X": data.X, "y": data.labels, "arguments": arguments}

    def _held_out_logits(
        self,
        members: Sequence[tuple[str, Any]],
        tasks: Sequence[dict[str, Any]],
        data: LabelledRows,
        classes: NDArray[Any],
    ) -> tuple[list[str], NDArray[np.float64]]:
        """Return methods and held-out logits of the members, as `take_held_out_logits`."""
        tests = [np.arange(len(data.labels))]
        if self._is_prefit:
            outputs = [get_outputs(member, data.X, name=name) for name, member in members]
        else:
            folds = data.folds(self.cv)
            tests = [test for _, test in folds]
            outputs = Parallel(n_jobs=self.n_jobs)(
                delayed(out_of_fold_outputs)(clone(member), fold, **task)
                for (_, member), task in zip(members, tasks, strict=True)
                for fold in folds
            )
        return take_held_out_logits(outputs, tests, classes)

    def _score(self, data: LabelledRows, classes: NDArray[Any]) -> Callable[[NDArray[np.float64]], float]:
        """Return the function that scores logits; higher is better."""
        if self.scoring is None:
            target = np.searchsorted(classes, data.labels)
            return lambda logits: -log_loss(logits, target, data.weight)
        scorer = get_scorer(self.scoring)
        given = {} if data.weight is None else {"sample_weight": data.weight}
        return lambda logits: scorer(KnownLogits(logits, classes), data.X, data.labels, **given)

    def __skspec_get_params__(self) -> dict[str, Any]:
        """Return the parameters to save, with the fitted members in place of `estimators`."""
        members: dict[int, Any] = dict(self._kept())
        saved = [(name, members.get(k, "drop")) for k, name in enumerate(self._fitted_names)]
        return self.get_params(deep=False) | {"estimators": saved}

    def __skspec_get_state__(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the fitted state without the members."""
        return {name: value for name, value in vars(self).items() if name in _LEARNED}, {}

    def __skspec_set_state__(self, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Restore the fitted state of an ensemble whose `estimators` are the saved members."""
        if arrays or not state.keys() <= _LEARNED:
            raise ValueError("an ensemble has no fitted attributes of these names")
        for name, value in state.items():
            setattr(self, name, value)
        if not set(self.logit_methods_) <= set(METHODS):
            raise ValueError(f"logits cannot be taken from {self.logit_methods_}")
        if not len(self.estimators) == len(self.weights_) == len(self.scales_):
            raise ValueError("weights_ and scales_ must have a value for each member")
        members = [self.estimators[k][1] for k in np.flatnonzero(self.weights_)]
        if "drop" in members or len(members) != len(self.logit_methods_):
            raise ValueError("a member with nonzero weight is missing")
        self.estimators_ = members
        self._fitted_names = [name for name, _ in self.estimators]
