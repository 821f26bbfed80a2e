"""The command on a terminal of a width of our choice."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

from tests.unit.client.peer import Peer

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_terminal(peer: Peer, *arguments: str, width: int = 80) -> list[str]:
    """What stands on the terminal, by lines as the command broke them."""
    return answered(peer, *arguments, width=width)[0].splitlines()


def answered(peer: Peer, *arguments: str, width: int = 80, prompt: str = "", answer: str = "") -> tuple[str, int]:
    """What the command shows, and its exit code; it is answered when it has shown ``prompt``."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    environ = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}}
    environ |= {"DRYDOCK_URL": peer.url, "OS_TOKEN": "admin", "TERM": "xterm"}
    command = [sys.executable, "-c", "from drydock.cli.main import main; main()", *arguments]
    shown = b""
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environ) as process:
        os.close(slave)
        try:
            while chunk := os.read(master, 65536):
                shown += chunk
                if prompt and prompt.encode() in shown:
                    os.write(master, answer.encode() + b"\n")
                    prompt = ""
        except OSError:  # the other end is closed
            pass
    os.close(master)
    return ESCAPES.sub("", shown.decode()).replace("\r", ""), process.returncode
