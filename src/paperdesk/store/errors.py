"""What can go wrong with what the desk remembers. Every text says what happened, why, and what to do next."""

import errno
from typing import Final

CAUSES: Final = {
    errno.ENOSPC: ("the disk is full", "free some space, or move the home folder to a larger disk with --home"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, or move the home folder elsewhere with --home"),
    errno.EROFS: ("the file system is read-only", "mount it for writing, or choose another folder with --home"),
    errno.EACCES: ("permission is denied", "make the folder writable for this user, or choose another with --home"),
    errno.EPERM: ("permission is denied", "make the folder writable for this user, or choose another with --home"),
    errno.EIO: (
        "the disk reports an input/output error",
        "check the disk's health (dmesg, smartctl) before you start again",
    ),
    errno.EMFILE: ("too many files are open", "raise the limit of open files (ulimit -n)"),
}


class StoreError(Exception):
    """The store cannot do what was asked; the text is for people."""


def why(error: OSError) -> str:
    """Cause and remedy of an operating system's error, as the second half of a sentence."""
    cause, remedy = CAUSES.get(error.errno or 0, (error.strerror or str(error), "mend the cause and start again"))
    return f"{cause}; {remedy}"
