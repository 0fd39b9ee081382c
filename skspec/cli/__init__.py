"""The command line: ``skspec demo | fit | predict | reproduce | catalogue | formats``.

`_app` and `_catalogue` define the commands, `_options` the options that they share, and `_report` prints; all
computation is elsewhere.
"""

import sys


def main() -> None:
    """Run the command line, which needs the extra ``skspec[cli]``."""
    try:
        from skspec.cli._app import app  # noqa: PLC0415
    except ImportError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.exit(f"skspec: error: the command line needs {error.name}: pip install 'skspec[cli]'")
    app()
