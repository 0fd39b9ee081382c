"""Scikit-learn estimators around the networks: one family of networks per file, whose classes `skspec` lists."""
