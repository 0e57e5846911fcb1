"""Warnings of short-lived tools, in the log format that all of OVN's programs share."""

from time import gmtime, strftime


def warning(serial: int, module: str, text: str) -> str:
    """A warning as a line of log."""
    return line(serial, module, "WARN", text)


def line(serial: int, module: str, level: str, text: str) -> str:
    """One line of log."""
    return f"{strftime('%Y-%m-%dT%H:%M:%SZ', gmtime())}|{serial:05}|{module}|{level}|{text}\n"


def alarm(seconds: int) -> None:
    """Die of SIGALRM in so many seconds, with the words that the C tools have for it."""
    import os
    import signal
    import sys

    def die(number: int, frame: object) -> None:
        sys.stdout.flush()
        sys.stderr.write(warning(1, "fatal_signal", "terminating with signal 14 (Alarm clock)"))
        sys.stderr.flush()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGALRM)

    signal.signal(signal.SIGALRM, die)
    signal.alarm(seconds)
