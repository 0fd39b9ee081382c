"""The command line: ``skspec demo | fit | predict | reproduce | catalogue | formats``.

`_app` and `_catalogue` define the commands, `_options` the options that they share, `_report` prints, and `_process`
handles signals and the exit code; all computation is elsewhere.
"""

import sys

from skspec.cli import _process


def main() -> None:
    """Run the command line, which needs the extra ``skspec[cli]``."""
    _process.run(_main)


def _main() -> None:
    try:
        from skspec.cli._app import app  # noqa: PLC0415
    except ImportError as error:
        _process.check_signals()
        if error.name not in ("typer", "rich"):
            raise
        sys.exit(f"skspec: error: the command line needs {error.name}: pip install 'skspec[cli]'")
    _process.check_signals()
    app()
