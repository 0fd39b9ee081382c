"""Speed and quality, measured: each module prints one table (``python -m benchmarks.resample``)."""
