"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from sitedesign.errors import Fault, InputError

_FULL = (errno.ENOSPC, errno.EDQUOT)


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, and force it to the disk.

    Raises
    ------
    OSError
        With the old file, if any, untouched and nothing left behind.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "No such folder", str(path.parent))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        if isinstance(error, OSError):
            error.filename = str(path)  # the one that the caller knows
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


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
