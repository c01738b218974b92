"""A program `liveportal` for shell scripts that does not start Python's imports each time.

`serving()` starts a process that has everything loaded, `write_program` writes the program. Each
run hands its streams, folder, arguments and environment to that process, which forks: what runs is
a process of its own, with the script's own pipes and files. Signals are not passed on.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path

import time_machine

from tests.kit.fork_server import ROOT, flushed, load_everything, open_stream

CLIENT = """\
#!{python} -IS
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
order = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ), {now!r}]).encode()
socket.send_fds(server, [len(order).to_bytes(4, "big")], [0, 1, 2])
server.sendall(order)
sys.exit(int(server.recv(3)))
"""


@contextmanager
def serving() -> Iterator[str]:
    """Start the process that forks, and give its address."""
    # The name of a socket is limited to some hundred characters.
    with tempfile.TemporaryDirectory(prefix="lp") as short:
        address = f"{short}/s"
        with subprocess.Popen(
            [sys.executable, "-m", "tests.kit.quick_program", address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        ) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            try:
                yield address
            finally:
                server.kill()


def write_program(folder: Path, address: str, now: str = "") -> None:
    """Write the program `liveportal` into a folder; it lives at the time `now`, if one is given."""
    program = folder / "liveportal"
    program.write_text(CLIENT.format(python=sys.executable, address=address, now=now))
    program.chmod(0o700)


def _serve(address: str) -> None:
    load_everything()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        children = 0
        while True:
            client, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                os._exit(_child(client))
            client.close()
            children += 1
            while children and os.waitpid(-1, os.WNOHANG)[0]:
                children -= 1


def _child(client: socket.socket) -> int:
    """Run the program with the client's streams, and send it the exit code."""
    size, streams, _, _ = socket.recv_fds(client, 4, 3)
    content = b""
    while len(content) < int.from_bytes(size, "big"):
        content += client.recv(65_536)
    argv, folder, environment, now = json.loads(content)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for target, (name, handle) in enumerate(
        zip(("stdin", "stdout", "stderr"), streams, strict=True)
    ):
        os.dup2(handle, target)
        os.close(handle)
        setattr(sys, name, open_stream(target))
    from liveportal.__main__ import main

    sys.argv = ["liveportal", *argv]
    at = time_machine.travel(datetime.fromisoformat(now), tick=False) if now else nullcontext()
    with at:
        code = flushed(main())
    client.sendall(f"{code:3}".encode())
    return code


if __name__ == "__main__":
    _serve(sys.argv[1])
