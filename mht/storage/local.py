"""The local file system as a store: atomic writes, create-if-absent by link, links kept inside their root."""

from __future__ import annotations

import contextlib
import errno
import os
import stat as stat_module
import tempfile
from collections.abc import Iterator, Sequence

from mht.records import Refusal
from mht.storage.failures import CutShortError
from mht.storage.objects import (
    OUTSIDE_ROOT,
    Attempted,
    Listing,
    ReadRequest,
    Stat,
    missing,
    replaced,
    too_many,
    unreadable,
)
from mht.storage.patience import Attempt
from mht.storage.uris import local_path, local_uri, printable

_PARTIAL = ".mht-partial"
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS, errno.EXDEV})


class LocalBackend:
    """Files below a folder. Every method makes one attempt and raises what the system raises."""

    errors: tuple[type[Exception], ...] = (OSError,)

    def walk(self, prefix: str, attempt: Attempt) -> Iterator[Listing]:
        """The files below a folder in the order of their names, or the one file that the path names."""
        root = os.path.abspath(local_path(prefix))
        if os.path.isfile(root):
            yield _listing(os.path.basename(root), root, os.stat(root))
            return
        yield from _walk(root, "", os.path.realpath(root), set())

    def stat(self, uri: str) -> Stat:
        """Size and time of change. Raises FileNotFoundError."""
        found = os.stat(_path(uri))
        if not stat_module.S_ISREG(found.st_mode):
            raise FileNotFoundError(errno.ENOENT, "not a file", uri)
        return _stat(found)

    def get(self, requests: Sequence[ReadRequest]) -> Attempted:
        """One attempt at each: bytes, a refusal, or the exception for the caller to judge."""
        return [_get(request) for request in requests]

    def put(self, uri: str, data: bytes) -> None:
        """Writes beside the target and renames, so that no reader sees half a file."""
        path = _path(uri)
        with _partial(path, data) as partial:
            os.replace(partial, path)
        _sync_folder(path)

    def put_new(self, uri: str, data: bytes, token: str) -> None:
        """The same, but raises FileExistsError when the target is there."""
        path = _path(uri)
        with _partial(path, data) as partial:
            try:
                os.link(partial, path)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                _write_exclusive(path, data)
        _sync_folder(path)

    def append(self, uri: str, data: bytes) -> None:
        """Adds to the end of a file, made where there is none; a power cut may lose it, the end of a process not."""
        path = _path(uri)
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "ab") as file:
            file.write(data)

    def is_ours(self, uri: str, data: bytes, token: str) -> bool:
        """No answer of a local file system is lost: a file that is there is another's."""
        return False

    def remove(self, uri: str) -> None:
        """Deletes a file. Raises FileNotFoundError."""
        os.unlink(_path(uri))

    def probe_list(self, prefix: str) -> bool:
        """Whether the folder can be listed and holds something."""
        with os.scandir(_path(prefix) or ".") as entries:
            return next(entries, None) is not None

    def probe_read(self, prefix: str) -> bool:
        """Whether there is a file, or a folder with something in it, that can be opened."""
        path = _path(prefix)
        if os.path.isdir(path):
            return self.probe_list(path)
        with open(path, "rb"):
            return True

    def probe_write(self, prefix: str) -> None:
        """Writes and removes a nameless file where the folder is, or would be."""
        folder = os.path.abspath(_path(prefix))
        while not os.path.isdir(folder):
            if os.path.lexists(folder):
                raise NotADirectoryError(errno.ENOTDIR, "a file stands where a folder is needed", folder)
            folder = os.path.dirname(folder)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"probe")
            probe.flush()


def _path(uri: str) -> str:
    path = local_path(uri)
    if "\0" in path:
        raise FileNotFoundError(errno.ENOENT, "no file name holds a NUL", uri)
    return path


def _stat(found: os.stat_result) -> Stat:
    return Stat(found.st_size, str(found.st_mtime_ns))


def _listing(name: str, path: str, found: os.stat_result) -> Listing:
    return Listing(printable(name), local_uri(path), found.st_size, str(found.st_mtime_ns))


def _walk(folder: str, below: str, root: str, linked: set[str]) -> Iterator[Listing]:
    """Depth first, a folder sorting as `name/`: the order in which an object store lists the same keys."""
    with os.scandir(folder) as entries:
        found = [(entry.name + "/" if _is_folder(entry) else entry.name, entry) for entry in entries]
    found.sort(key=lambda pair: pair[0])
    for key, entry in found:
        name = below + entry.name
        if entry.is_symlink():
            yield from _follow(entry, name, root, linked)
        elif key.endswith("/"):
            yield from _walk(entry.path, name + "/", root, linked)
        elif entry.is_file(follow_symlinks=False) and not entry.name.endswith(_PARTIAL):
            yield _listing(name, entry.path, entry.stat(follow_symlinks=False))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Also of a link to one; a link in a circle is none, where the entry itself would raise."""
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir(follow_symlinks=False)


def _follow(entry: os.DirEntry[str], name: str, root: str, linked: set[str]) -> Iterator[Listing]:
    """Follows a link inside the root (to a folder once, so that circles end) and reports one that leaves it."""
    target = os.path.realpath(entry.path)
    if target != root and not target.startswith(root.rstrip("/") + "/"):
        yield Listing(printable(name), local_uri(entry.path), None, OUTSIDE_ROOT)
    elif os.path.isdir(target):
        if target not in linked and not os.path.abspath(entry.path).startswith(target + "/"):
            linked.add(target)
            yield from _walk(entry.path, name + "/", root, linked)
    elif os.path.isfile(target):
        yield _listing(name, entry.path, os.stat(target))
    else:
        yield Listing(printable(name), local_uri(entry.path), None, None)


def _get(request: ReadRequest) -> bytes | Refusal | Exception:
    try:
        handle = os.open(_path(request.uri), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return _read_handle(handle, request)
        finally:
            os.close(handle)
    except FileNotFoundError:
        return missing()
    except OSError as error:
        return error


def _read_handle(handle: int, request: ReadRequest) -> bytes | Refusal | Exception:
    found = os.fstat(handle)
    if not stat_module.S_ISREG(found.st_mode):
        return unreadable("not a regular file")
    refusal = too_many(request, found.st_size) or replaced(request, _stat(found))
    if refusal is not None:
        return refusal
    start = request.offset or 0
    wanted = found.st_size - start if request.length is None else request.length
    data = os.pread(handle, wanted, start) if wanted > 0 else b""
    while len(data) < wanted:
        more = os.pread(handle, wanted - len(data), start + len(data))
        if not more:
            return CutShortError(f"{len(data)} of {wanted} bytes from {start}")
        data += more
    return data


@contextlib.contextmanager
def _partial(path: str, data: bytes) -> Iterator[str]:
    """A complete, synced file in the target's folder under a passing name; gone afterwards in any case."""
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    partial = os.path.join(folder, f".{os.urandom(8).hex()}{_PARTIAL}")
    try:
        _write_exclusive(partial, data)
        yield partial
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)


def _write_exclusive(path: str, data: bytes) -> None:
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: str) -> None:
    handle = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(handle)
