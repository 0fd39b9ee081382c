"""Ensembles of classifiers."""

from skspec.ensemble._logit_voting import LogitVotingClassifier

__all__ = ["LogitVotingClassifier"]
