"""The program `liveportal`; `python -m liveportal` is the same."""

from __future__ import annotations

import gc
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
        # Importing makes tens of thousands of objects that stay: looking through them for garbage,
        # each 700 as is usual, is a tenth of what a read costs. What a long sync does of its own
        # goes on.
        gc.set_threshold(50_000, 20, 20)
        from liveportal.cli.main import main as cli_main

        return cli_main(sys.argv[1:])
    except KeyboardInterrupt as error:  # While modules are still being imported, or at the end.
        return 128 + getattr(error, "number", 2)
    finally:
        # The process is about to end. Python would look through everything for garbage thrice and
        # take it apart piece by piece, a fifth of what a read costs; the system takes it whole.
        gc.freeze()


if __name__ == "__main__":
    sys.exit(main())
