"""Files are written whole or not at all, in the place that was named and nowhere else.

The unfinished file has a name that cannot be foretold, is made new (a planted file or link is never opened),
has the mode of the file that it replaces, and is held locked while it is written: one that nobody holds was
left by a process that was killed, and goes with the next write.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import IO

from sitedesign.errors import Fault, InputError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows has no such locks: what a killed process left then stays
    fcntl = None

_FULL = (errno.ENOSPC, errno.EDQUOT)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_KEPT = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_USUAL_MODE = 0o666  # less what the user's mask takes away


def write_atomic(path: Path, data: bytes | Callable[[IO[bytes]], object]) -> None:
    """Write a file whole or not at all, and force it to the disk.

    Parameters
    ----------
    path : Path
    data : bytes or callable
        What is written, or what writes it, piece by piece where all of it would be large.

    Raises
    ------
    OSError
        With the old file, if any, untouched and nothing left behind.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "No such folder", str(path.parent))
    sweep(path.parent, path.name)
    handle, temporary = _new_beside(path)
    try:
        with os.fdopen(handle, "wb") as file:
            _take_mode(handle, path)
            if callable(data):
                data(file)
            else:
                file.write(data)
            file.flush()
            os.fsync(handle)
            temporary.replace(path)
    except BaseException as error:
        if isinstance(error, OSError):
            error.filename = str(path)  # the one that the caller knows
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def sweep(folder: Path, name: str = "*") -> None:
    """Delete unfinished files of killed processes: of one file, or of all files of a folder."""
    if fcntl is None:
        return
    for left in folder.glob(f".{name}.*.tmp"):
        try:
            handle = os.open(left, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            continue  # gone already, or a link that somebody else made
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink(missing_ok=True)
        except OSError:
            pass  # somebody is writing it
        finally:
            os.close(handle)


def open_private(path: Path) -> int:
    """Open a file of the program's own for writing, made where it is not there; never through a link.

    Raises
    ------
    OSError
        Also where the name is a symbolic link.
    """
    return os.open(path, _KEPT, 0o600)


def _new_beside(path: Path) -> tuple[int, Path]:
    """Make an unfinished file in the folder of a file, and hold it."""
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        handle = os.open(temporary, _NEW, _USUAL_MODE)
        if fcntl is None:
            return handle, temporary
        fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, temporary
        os.close(handle)  # somebody swept it before it was held


def _take_mode(handle: int, path: Path) -> None:
    """Give an unfinished file the mode of the file that it replaces."""
    try:
        before = path.lstat()
    except OSError:
        return
    if stat.S_ISREG(before.st_mode) and hasattr(os, "fchmod"):
        os.fchmod(handle, stat.S_IMODE(before.st_mode))


def write_given(path: Path, data: bytes, *, where: str, of: str) -> None:
    """Write a file that a user named.

    Parameters
    ----------
    path : Path
    data : bytes
    where, of : str
        Name of the argument and of what was called, for the message.

    Raises
    ------
    InputError
        If the path is none that can be written.
    OSError
        If the disk is full.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        write_atomic(path, data)
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) in _FULL:
            raise
        reason = getattr(error, "strerror", None) or str(error)
        fault = Fault(where, f"{path} ({reason})", "must be a file that can be written")
        raise InputError([fault], of) from None


def _sync_folder(folder: Path) -> None:
    """Force a rename to the disk; not every system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
