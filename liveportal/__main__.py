"""The program `liveportal`; `python -m liveportal` is the same."""

from __future__ import annotations

import sys

from liveportal import __version__


def main() -> int:
    """Run the program on the arguments it was started with, and return its exit code."""
    try:
        if sys.argv[1:] == ["--version"] and sys.stdout is not None:
            try:
                print(f"liveportal {__version__}", flush=True)  # noqa: T201 -- It is the result.
            except OSError:
                pass  # The long way below knows how to say that nothing can be written.
            else:
                return 0
        from liveportal.cli.run import main as cli_main

        return cli_main(sys.argv[1:])
    except KeyboardInterrupt as error:  # While modules are still being imported, or at the end.
        return 128 + getattr(error, "number", 2)


if __name__ == "__main__":
    sys.exit(main())
