"""Processes that tests start and kill."""

import multiprocessing

_SLOW_TO_IMPORT = (
    "tests.oversampling.test_gan",
    "tests.training.test_checkpoint",
    "torch._dynamo",  # otherwise imported, in a second or two, by the first optimizer of each process
)


def forkserver() -> multiprocessing.context.ForkServerContext:
    """Return a context whose processes find imported what they need. One server serves all tests."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_SLOW_TO_IMPORT))
    return context
