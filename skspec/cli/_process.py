"""The process of the command line: signals, a standard output that cannot be written, and the exit code."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

_WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
_PATIENCE = 2.0  # seconds after which a second signal stops the process at once

_received: list[tuple[float, int]] = []  # time and number of the signals


class Stop(SystemExit):
    """Raised by a signal. Libraries handle a KeyboardInterrupt in their own ways; this is left alone."""


def run(command: Callable[[], object]) -> None:
    """Call a function, and exit with code 0, 1 for an error in the output, or 128 plus the number of a signal."""
    handlers = {number: signal.getsignal(number) for number in _WORDS}
    for number, handler in handlers.items():
        if handler is not signal.SIG_IGN:  # as under nohup, and for jobs in the background
            signal.signal(number, _stop)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  (until the process ends)
    try:
        code = _call(command)
    except BaseException:
        if not _received:  # a signal during an import may become another error
            raise
    if _received:
        first = signal.Signals(_received[0][1])
        complain(_WORDS[first])
        sys.exit(128 + first)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    sys.exit(code)


def _call(command: Callable[[], object]) -> Any:
    """Call a function, flush standard output, and return the exit code."""
    code: Any = 0
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, "is closed", "standard output")
        try:
            command()
        except SystemExit as error:
            code = error.code
        sys.stdout.flush()
    except OSError as error:
        if not code and not isinstance(error, BrokenPipeError):
            reason = error.strerror or str(error)
            complain(f"error: {error.filename or 'standard output'}: {reason[:1].lower()}{reason[1:]}")
        with suppress(OSError, ValueError, AttributeError):  # discard what is in the buffer
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or 1
    return code


def check_signals() -> None:
    """Stop after a signal whose exception was lost, for example in an import."""
    if _received:
        raise Stop(128 + _received[0][1])


def complain(text: str) -> None:
    """Print a line on standard error."""
    with suppress(OSError):
        print(f"skspec: {' '.join(text.split())}", file=sys.stderr)


@contextmanager
def named_output() -> Iterator[None]:
    """Name standard output in errors of writing to it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from error


class StandardOutput:
    """Standard output, which is named in its errors."""

    def __init__(self) -> None:
        self._stream = sys.stdout

    def write(self, text: str) -> int:
        """Write text."""
        with named_output():
            return self._stream.write(text)

    def flush(self) -> None:
        """Flush the buffer."""
        with named_output():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _stop(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    _received.append((now, number))
    if len(_received) == 1:
        raise Stop(128 + number)
    if now - _received[0][0] > _PATIENCE:
        os._exit(128 + _received[0][1])
