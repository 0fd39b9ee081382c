"""Several classifiers that answer as one."""

from skspec.ensemble._logit_voting import LogitVotingClassifier

__all__ = ["LogitVotingClassifier"]
