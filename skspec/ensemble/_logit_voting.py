"""Ensembles of classifiers whose logits are averaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import ClassifierMixin, clone
from sklearn.ensemble._base import _BaseHeterogeneousEnsemble
from sklearn.utils import Bunch, check_scalar
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skspec.checks import check_choice
from skspec.ensemble._combining import greedy_counts, log_loss, spread, temperature
from skspec.ensemble._members import (
    METHODS,
    MIXED,
    ask,
    check_member,
    fit_arguments,
    fit_member,
    known_classes,
    member_logits,
    out_of_fold_answers,
    some_rows,
    take_logits,
    take_unseen_logits,
)
from skspec.ensemble._training_set import TrainingSet
from skspec.metrics import KnownLogits, get_scorer

_SCALES: Mapping[str, Callable[..., float]] = {
    "standard": lambda logits, target, weight: spread(logits, weight),
    "temperature": temperature,
}
_LEARNED = {"classes_", "weights_", "scales_", "logit_methods_", "n_features_in_", "feature_names_in_"}


class LogitVotingClassifier(ClassifierMixin, _BaseHeterogeneousEnsemble):
    """Classify by the mean of the logits of several classifiers.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples
        The members, with their names. A member that is "drop" is left out, as in
        `~sklearn.ensemble.VotingClassifier`; ``set_params(net="drop")`` does so.
    weights : array-like of shape (n_estimators,) or None, default=None
        How much each member counts; only ratios matter, and members of weight 0 are not trained. None takes all
        members alike, or leaves it to `selection`.
    scaling : {"standard", "temperature"} or None, default=None
        What the logits of each member are divided by, seen out of fold: "standard" is their standard deviation about
        the mean of each spectrum, "temperature" what makes the log loss of the member least (Guo et al. 2017,
        arXiv:1706.04599; with labels that are smoothed by 1e-3, so that a member without errors is not infinitely
        sure). None takes logits as they are, by which the member with the widest ones decides. The probabilities of the
        ensemble are worth something with "temperature", and far too cautious with "standard".
    selection : {"greedy"} or None, default=None
        "greedy" starts with no member and adds, `max_members` times, the one that makes the score of the ensemble best
        out of fold, where a member may be added again (Caruana et al. 2004, doi:10.1145/1015330.1015432): the first
        listed of equally good ones. Of the ensembles on the way the best is kept, and the smallest of equally good
        ones. Members that are not in it are not trained on all spectra.
    max_members : int, default=20
        Members that `selection` adds, the same one counted each time.
    scoring : str, callable or None, default=None
        What `selection` makes best: a scorer or its name, of scikit-learn or of `skspec.metrics.get_scorer`; None
        takes the log loss.
    cv : int, splitter, iterable, "prefit" or None, default=5
        Folds for `scaling` and `selection`: a number of folds (stratified, and with whole groups if there are any), a
        splitter of scikit-learn, or pairs of indices; each spectrum is tested once. None is 5. With "prefit" members
        are fitted already, and used as they are: X and y of `fit` are what `scaling` and `selection` look at, and
        must not be what members were trained on.
    n_jobs : int or None, default=None
        Members (and folds) that are trained at a time, in processes that share the processor's threads among them.
        As in scikit-learn, None is 1 and -1 all processors.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    estimators_ : list of estimators
        The fitted members that count, in their order.
    named_estimators_ : `~sklearn.utils.Bunch`
        The same by name.
    weights_ : ndarray of shape (n_estimators,)
        Weight of each member of `estimators`, with sum 1; 0 for those that are dropped or not selected.
    scales_ : ndarray of shape (n_estimators,)
        What the logits of each member are divided by; 1 without `scaling`, NaN for those dropped or of weight 0 from
        the start.
    logit_methods_ : list of {"decision_function", "predict_proba"}
        What the logits of each of ``estimators_`` are taken from.
    n_features_in_ : int
        Number of columns seen in fit, if the first member that counts knows it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if it knows them.

    See Also
    --------
    sklearn.ensemble.VotingClassifier : The mean of probabilities, or a majority of votes.
    sklearn.ensemble.StackingClassifier : A classifier that learns from the answers of members.

    Notes
    -----
    The mean of logits is the logarithm of the geometric mean of probabilities, less what all classes share: one member
    can veto a class. The published ensembles of joint MK classification
    (https://github.com/volgasezen/StellarClassification) are of this kind, without scaling.

    The logits of a member are its ``decision_function``, if its probabilities are the softmax of that: so it is for
    the networks of skspec, `~sklearn.linear_model.LogisticRegression` and gradient boosting. They are the
    logarithms of its probabilities if it has others: trees, nearest neighbours, calibrated classifiers. All folds
    decide that together; without `scaling` and `selection`, up to 256 of the spectra it is trained on. Forests
    give probability 0 to what no tree has seen in a leaf, so that probabilities below 1e-3 are taken for 1e-3: on
    stars of MILES, forests of 100 to 300 trees have the least log loss with a floor between 1e-3 and 3e-3, whether
    they learn 6 classes from 150 spectra or 27 from 500. A member without probabilities, such as `~sklearn.svm.SVC`,
    is taken by its ``decision_function``: margins, whose scale means nothing, and for which ``scaling="temperature"``
    is made. Logits of two classes are minus and plus half of a ``decision_function`` of one column.

    A class of which the training spectra of a fold have none has probability 1e-3 there, before scaling.

    `sample_weight` and `groups` go to the members that take them; of a pipeline, to its last step, unless a sampler
    comes before it. A search gets groups for its own folds (which must use them, as
    `~sklearn.model_selection.StratifiedGroupKFold` does: a number of folds does not, with a warning), and weights for
    what it searches. Voting and stacking classifiers get weights if all their members take them, and never groups.
    Nothing is random here: members bring their own ``random_state``.

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

    # What a user calls --------------------------------------------------------------------------------

    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Self:
        """Train the members, and find their scales and weights.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_features)
            Handed to the members as it is.
        y : array-like of shape (n_spectra,)
            Labels; members see them as they are.
        sample_weight : array-like of shape (n_spectra,), default=None
            Weight of each spectrum, for members, scales and selection.
        groups : array-like of shape (n_spectra,), default=None
            Spectra with the same value, for example of the same star, are never in training and test set of a fold.

        Returns
        -------
        LogitVotingClassifier
            The ensemble itself.

        Raises
        ------
        ValueError
            If a parameter is out of range, y has one class only or missing labels, groups are missing, lengths disagree,
            a member gives no logits or does not take the weights that are given, folds do not test each spectrum once,
            or members that are fitted know other classes.
        TypeError
            If a parameter has the wrong type.
        sklearn.exceptions.NotFittedError
            If a member is not fitted with ``cv="prefit"``.
        """
        names, members = self._validate_estimators()
        weights = self._check_params(members)
        data = TrainingSet.of(self, X, y, sample_weight, groups)
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
            methods, logits = self._unseen_logits(chosen, tasks, data, classes)
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
            methods = [take_logits([ask(member, seen)], classes)[0] for member in fitted]
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
        """Logits: the weighted mean of the scaled logits of members.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_features)

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
        X : Spectra, or array-like of shape (n_spectra, n_features)

        Returns
        -------
        ndarray of shape (n_spectra, n_classes)
            In the order of ``classes_``.
        """
        return softmax(self._logits(X), axis=1)

    def predict(self, X: Any) -> NDArray[Any]:
        """Class with the highest logit of each spectrum.

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
        """The fitted members that count, by name."""
        check_is_fitted(self)
        return Bunch(**{self._fitted_names[k]: member for k, member in self._kept()})

    # How it is done -----------------------------------------------------------------------------------

    def _logits(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        return sum(
            self.weights_[k] / self.scales_[k] * member_logits(member, X, self.classes_, method)
            for (k, member), method in zip(self._kept(), self.logit_methods_, strict=True)
        )

    def _kept(self) -> Iterator[tuple[int, Any]]:
        """Fitted members that count, each with its place in `estimators`."""
        return zip(np.flatnonzero(self.weights_).tolist(), self.estimators_, strict=True)

    def _check_params(self, members: Sequence[Any]) -> NDArray[np.float64]:
        """Raise for parameters that make no sense; the weight of each member before any selection."""
        check_choice("scaling", self.scaling, (None, *_SCALES))
        check_choice("selection", self.selection, (None, "greedy"))
        check_scalar(self.max_members, "max_members", Integral, min_val=1)
        if self.weights is None:
            return np.ones(len(members))
        if self.selection is not None:
            raise ValueError(
                "weights are found by selection='greedy'; give one of the two, and None for the other"
            )
        weights = np.array(self.weights, dtype=np.float64)
        if weights.shape != (len(members),):
            raise ValueError(
                f"weights has shape {weights.shape}; ({len(members)},) is needed, one for each member"
            )
        if not (np.isfinite(weights) & (weights >= 0)).all():
            raise ValueError(f"weights must be finite and not negative, got {weights.tolist()}")
        if not any(w > 0 for w, member in zip(weights, members, strict=True) if member != "drop"):
            raise ValueError("weights are zero for all members that are not dropped")
        return weights

    @property
    def _is_prefit(self) -> bool:
        return isinstance(self.cv, str) and self.cv == "prefit"

    def _task(self, name: str, member: Any, data: TrainingSet) -> dict[str, Any]:
        """Return what a member is trained with."""
        arguments = {} if self._is_prefit else fit_arguments(name, member, data)
        return {"X": data.X, "y": data.labels, "arguments": arguments}

    def _unseen_logits(
        self,
        members: Sequence[tuple[str, Any]],
        tasks: Sequence[dict[str, Any]],
        data: TrainingSet,
        classes: NDArray[Any],
    ) -> tuple[list[str], NDArray[np.float64]]:
        """Methods and logits, as `take_unseen_logits` gives them, of members that were trained on other spectra."""
        tests = [np.arange(len(data.labels))]
        if self._is_prefit:
            answers = [ask(member, data.X) for _, member in members]
        else:
            folds = data.folds(self.cv)
            tests = [test for _, test in folds]
            answers = Parallel(n_jobs=self.n_jobs)(
                delayed(out_of_fold_answers)(clone(member), fold, **task)
                for (_, member), task in zip(members, tasks, strict=True)
                for fold in folds
            )
        return take_unseen_logits(answers, tests, classes)

    def _score(self, data: TrainingSet, classes: NDArray[Any]) -> Callable[[NDArray[np.float64]], float]:
        """Score of logits, the higher the better."""
        if self.scoring is None:
            target = np.searchsorted(classes, data.labels)
            return lambda logits: -log_loss(logits, target, data.weight)
        scorer = get_scorer(self.scoring)
        given = {} if data.weight is None else {"sample_weight": data.weight}
        return lambda logits: scorer(KnownLogits(logits, classes), data.X, data.labels, **given)

    # Persistence without pickle -----------------------------------------------------------------------

    def _get_params_to_save(self) -> dict[str, Any]:
        """Return the members to write to a file: the fitted ones, which another fit clones."""
        members: dict[int, Any] = dict(self._kept())
        return {"estimators": [(name, members.get(k, "drop")) for k, name in enumerate(self._fitted_names)]}

    def _get_fitted_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what was learned beside the members."""
        return {name: value for name, value in vars(self).items() if name in _LEARNED}, {}

    def _set_fitted_state(self, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Restore what `_get_fitted_state` gave, in an ensemble of the fitted members."""
        if arrays or not state.keys() <= _LEARNED:
            raise ValueError("an ensemble has learned nothing of this kind")
        for name, value in state.items():
            setattr(self, name, value)
        if not set(self.logit_methods_) <= set(METHODS):
            raise ValueError(f"logits are not taken from {self.logit_methods_}")
        if not len(self.estimators) == len(self.weights_) == len(self.scales_):
            raise ValueError("weights_ and scales_ must have a value for each member")
        members = [self.estimators[k][1] for k in np.flatnonzero(self.weights_)]
        if "drop" in members or len(members) != len(self.logit_methods_):
            raise ValueError("a member that counts is missing")
        self.estimators_ = members
        self._fitted_names = [name for name, _ in self.estimators]
        return self
