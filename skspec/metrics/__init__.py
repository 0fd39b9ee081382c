"""Scores of ordered and joint classes, with confidence intervals."""

from skspec.metrics._bootstrap import BootstrapResult, bootstrap_difference, bootstrap_interval
from skspec.metrics._known_logits import KnownLogits
from skspec.metrics._scorers import get_scorer
from skspec.metrics._scores import accuracy, axis_kappa, f1_macro, joint_kappa, joint_mae, published_scores

__all__ = [
    "BootstrapResult",
    "KnownLogits",
    "accuracy",
    "axis_kappa",
    "bootstrap_difference",
    "bootstrap_interval",
    "f1_macro",
    "get_scorer",
    "joint_kappa",
    "joint_mae",
    "published_scores",
]
