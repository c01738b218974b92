"""Read statements: several files of any known format, and archives of them, in any order."""

from __future__ import annotations

from collections.abc import Sequence

from liveportal.statements.across import joined
from liveportal.statements.archives import unpacked
from liveportal.statements.file_reader import read_file
from liveportal.statements.options import Options
from liveportal.statements.rows import StatementFile
from liveportal.tables.source import Progress, Source

_PASSES = 2  # Over each file.


def read_statements(
    sources: Sequence[Source], options: Options | None = None, progress: Progress | None = None
) -> tuple[StatementFile, ...]:
    """Read and prove files, in the order given; the members of an archive in its own order.

    Raises the errors of a statement (`bad_encoding`, `malformed_file`, `bad_value`,
    `ambiguous_dates`, `unknown_format`, `ambiguous_format`, `unproved_file`), whose details have
    `file` and `line`: then nothing was read.
    """
    options = options or Options()
    with unpacked(list(sources)) as files:
        total = _PASSES * sum(file.size() for file in files)
        done = 0
        read = list[StatementFile]()
        for file in files:
            before = done

            def report(bytes_read: int, before: int = before) -> None:
                if progress:
                    progress(before + bytes_read, total)

            read += read_file(file, options, report)
            done += _PASSES * file.size()
        if progress:
            progress(total, total)
    return tuple(joined(read))
