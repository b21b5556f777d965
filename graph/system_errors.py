"""What the operating system refuses, said in both languages; a disk that takes no more."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from typing import Final

from graph.errors import ShichengError
from graph.messages import Words

_CHINESE: Final[Mapping[int, str]] = {
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "超出磁盘配额",
    errno.EFBIG: "超出文件大小上限",
    errno.EROFS: "文件系统只读",
    errno.EIO: "读写设备出错",
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.ENOENT: "没有这个文件或文件夹",
    errno.ENOTDIR: "上级不是文件夹",
    errno.ENAMETOOLONG: "文件名过长",
    errno.EMFILE: "打开的文件过多",
    errno.EBADF: "已关闭",
}
# The device takes nothing more, whatever is written.
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
# Libraries beneath that raise errors of their own, with the system's words in them.
_WORDS: Final = re.compile(
    "|".join([*(re.escape(os.strerror(number)) for number in _FULL), "database or disk is full"])
)


def reason_of(error: OSError) -> Words:
    """Why the system did not do it."""
    said = os.strerror(error.errno) if error.errno else error.strerror or str(error)
    return Words(said, _CHINESE.get(error.errno or 0, said))


def full_disk(error: BaseException) -> Words | None:
    """Why a disk takes nothing more, where that is what went wrong; else None."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _FULL:
            return reason_of(seen)
        if found := _WORDS.search(str(seen)):
            number = next((n for n in _FULL if os.strerror(n) == found[0]), errno.ENOSPC)
            return reason_of(OSError(number, os.strerror(number)))
        seen = seen.__cause__ or seen.__context__
    return None


def not_written(what: object, error: OSError) -> ShichengError:
    """The sentence for a file, or stdout, that could not be written."""
    return ShichengError("{path} cannot be written: {why}", path=what, why=reason_of(error))
