"""Write docs/front_page.svg: what bare `liveportal` shows of the demo on a terminal.

`make docs` does it. With `--check` nothing is written, and the exit code is 1 if the picture is out
of date. The picture is text: it loads nothing, has no links, and any monospace font will do.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from html import escape
from pathlib import Path

PICTURE = Path(__file__).with_name("front_page.svg")
NOW = datetime(2026, 11, 14, 13, tzinfo=UTC)
COLUMNS, WIDTH, LINE, MARGIN = 92, 8.4, 19, 16
"""The size of the terminal, of a character and a line in pixels, and of the space around them."""
ENVIRONMENT = {"TZ": "Europe/Paris", "COLUMNS": str(COLUMNS), "NO_COLOR": "1"}
DOCUMENT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img">
<title>The front page: what waits for the expert, each line with the command to type next</title>
<style>
text {{ font: 14px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d6deeb; }}
.head {{ font-weight: bold; fill: #ffffff; }}
</style>
<rect width="100%" height="100%" rx="8" fill="#12202f"/>
{lines}
</svg>
"""

HEAD = ' class="head"'


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def front_page() -> str:
    """Return the front page of a demo that is made at the time of the picture."""
    from liveportal.cli.main import main  # Reads the environment.

    with tempfile.TemporaryDirectory() as name:
        ledger = str(Path(name) / "ledger.db")
        for argv, stream in ((["--ledger", ledger, "demo"], io.StringIO()), ([], _Terminal())):
            os.environ |= {**ENVIRONMENT, "LIVEPORTAL_LEDGER": ledger, "XDG_STATE_HOME": name}
            with redirect_stdout(stream), redirect_stderr(io.StringIO()):
                if code := main(argv, lambda: NOW):
                    raise SystemExit(code)
    return stream.getvalue()


def picture(page: str) -> str:
    """Return a page as an SVG document, a text element a line; headings are bold."""
    texts = ["$ liveportal", *page.rstrip().splitlines()]
    lines = [
        f'<text x="{MARGIN}" y="{MARGIN + LINE * number - 5}" xml:space="preserve"'
        f' textLength="{len(text) * WIDTH:.1f}"{"" if text.startswith(" ") else HEAD}>'
        f"{escape(text)}</text>"
        for number, text in enumerate(texts, 1)
        if text
    ]
    return DOCUMENT.format(
        width=COLUMNS * WIDTH + 2 * MARGIN,
        height=LINE * len(texts) + 2 * MARGIN,
        lines="\n".join(lines),
    )


def main() -> int:
    """Write the picture; with `--check`, compare it."""
    made = picture(front_page())
    if sys.argv[1:] != ["--check"]:
        PICTURE.write_text(made, "utf-8")
        return 0
    if PICTURE.exists() and PICTURE.read_text("utf-8") == made:
        return 0
    sys.stderr.write("docs/front_page.svg is out of date: run `make docs`.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
