"""The program `liveportal`; `python -m liveportal` is the same."""

from __future__ import annotations

import gc
import sys

from liveportal import __version__


def main() -> int:
    """Run the program with the arguments of `sys.argv`, and return its exit code."""
    try:
        if sys.argv[1:] == ["--version"] and sys.stdout is not None:
            try:
                print(f"liveportal {__version__}", flush=True)  # noqa: T201 -- It is the result.
            except OSError:
                pass  # The code below reports that nothing can be written.
            else:
                return 0
        # Importing creates tens of thousands of objects that are never freed. Collecting after
        # every 700 allocations, the default, takes a tenth of the time of a read. A long sync is
        # still collected, only less often.
        gc.set_threshold(50_000, 20, 20)
        from liveportal.cli.main import main as cli_main

        return cli_main(sys.argv[1:])
    except KeyboardInterrupt as error:  # During imports, or at the very end.
        return 128 + getattr(error, "number", 2)
    finally:
        # The process is about to end. Python would run three garbage collections and free every
        # object, which takes a fifth of the time of a read; the system frees all memory at once.
        gc.freeze()


if __name__ == "__main__":
    sys.exit(main())
