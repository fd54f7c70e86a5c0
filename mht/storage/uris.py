"""Addresses of objects: which store they belong to, how they are joined, and how they are shown.

A plain path is a local file, taken as it is; `file://` addresses are percent-encoded (RFC 8089), which is how
a name that is not UTF-8 stays a valid string; `s3://bucket/key` keys are taken byte for byte, never normalised.
"""

from __future__ import annotations

import os
import re
from urllib.parse import quote, unquote_to_bytes

from mht.errors import ConfigError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_NOT_STORES = frozenset({"http", "https", "ftp", "data", "github", "git", "sftp", "ssh", "smb", "reference"})
_CHAIN = re.compile(r"[A-Za-z0-9]+::[A-Za-z0-9]+://")
_WILDCARD = re.compile(r"[*?\[]")
_SECRETS = re.compile(
    r"(?i)(?<=://)[^/@\s]+@|\b(?:AKIA|ASIA|GOOG)[A-Z0-9]{12,}\b"
    r"|\?[^\s'\"<>]*(?:signature|credential|token|key)[^\s'\"<>]*"
    r"|(?<=Signature=)\S+|(?<=Credential=)\S+"
)


def scheme_of(uri: str) -> str:
    """`file` for a plain path, otherwise what stands before `://`, in lower case."""
    match = _SCHEME.match(uri)
    return match.group(1).lower() if match else "file"


def refuse_unusable(uri: str) -> None:
    """Raises ConfigError for an address with a password in it, a chained one, or one that is no store's."""
    scheme = scheme_of(uri)
    if scheme in _NOT_STORES or _CHAIN.match(uri):
        raise ConfigError(f"{redact(uri)!r} is not object storage. Copy the files to s3:// or gs:// first.")
    if scheme != "file" and "@" in uri.split("://", 1)[1].split("/", 1)[0]:
        raise ConfigError(
            f"{redact(uri)!r} carries credentials. Leave them out; they are read from the environment, "
            "the profile or the machine's role."
        )


def local_path(uri: str) -> str:
    """The path of a local address, as the operating system wants it."""
    if uri[:7].lower() == "file://":
        return os.fsdecode(unquote_to_bytes(uri[7:]))
    return uri


def local_uri(path: str) -> str:
    """The path itself, or a percent-encoded `file://` address when the path is not valid UTF-8."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return "file://" + quote(os.fsencode(path))
    return path


def printable(name: str) -> str:
    """The name with bytes that are not UTF-8 written as `\\xff`, so that it can be stored as text."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return os.fsencode(name).decode("utf-8", "backslashreplace")
    return name


def bucket_and_key(uri: str) -> tuple[str, str]:
    """`s3://bucket/a/b` -> (`bucket`, `a/b`)."""
    bucket, _, key = uri.split("://", 1)[1].partition("/")
    return bucket, key


def join(base: str, *parts: str) -> str:
    """`join("s3://b/x/", "y", "z")` -> `s3://b/x/y/z`. Parts are appended as they are, never normalised."""
    whole = base
    for part in parts:
        whole = f"{whole}{part}" if whole.endswith("/") else f"{whole}/{part}"
    return whole


def same_or_inside(one: str, other: str) -> bool:
    """Whether two addresses are the same place, or one of them lies in the other."""
    first, second = (_settled(uri).rstrip("/") for uri in (one, other))
    return first == second or first.startswith(f"{second}/") or second.startswith(f"{first}/")


def _settled(uri: str) -> str:
    return os.path.realpath(local_path(uri)) if scheme_of(uri) == "file" else uri


def split_wildcard(path: str) -> tuple[str, str | None]:
    """The folder in front of the first wildcard, and the pattern below it (None: there is no wildcard)."""
    match = _WILDCARD.search(path)
    if match is None:
        return path, None
    cut = path.rfind("/", 0, match.start()) + 1
    return path[:cut] or ".", path[cut:]


def wildcard_regex(pattern: str) -> re.Pattern[str]:
    """`*` and `?` stay within one folder, `**/` is any number of folders, `[...]` one of the characters."""
    out = []
    for token in re.findall(r"\*\*/?|\*|\?|\[[^\]]+\]|.", pattern, flags=re.DOTALL):
        if token.startswith("**"):
            out.append("(?:[^/]+/)*" if token.endswith("/") else ".*")
        elif token == "*":
            out.append("[^/]*")
        elif token == "?":
            out.append("[^/]")
        elif token.startswith("[") and len(token) > 2:
            body = token[1:-1].replace("\\", "\\\\")
            out.append(f"[^{body[1:]}]" if body[0] == "!" else f"[{body}]")
        else:
            out.append(re.escape(token))
    return re.compile("".join(out), re.DOTALL)


def redact(text: str) -> str:
    """The text without user:password@, access key ids and signed query strings."""
    return _SECRETS.sub("[hidden]", text)
