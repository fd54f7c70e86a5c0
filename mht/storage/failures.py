"""What an exception of a store means: try again, give the object up, or stop with a remedy."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mht.errors import DiskFull, MhtError, StorageDenied, StorageError, StorageMissing
from mht.storage.uris import local_path, redact, scheme_of


class Kind(StrEnum):
    """What to do about a failure."""

    TRANSIENT = "transient"
    MISSING = "missing"
    NO_STORE = "no_store"
    DENIED = "denied"
    FORBIDDEN = "forbidden"
    EXISTS = "exists"
    FULL = "full"
    PERMANENT = "permanent"


@dataclass(frozen=True, slots=True)
class Failure:
    """A classified exception; `detail` holds no secret, `remedy` is empty where the kind says it all."""

    kind: Kind
    detail: str
    remedy: str = ""


class CutShortError(OSError):
    """A body with fewer bytes than announced, or with others: read it again."""


_NEW_TOKEN = "Get new credentials (the session token has run out), then start the same command again."
_KEYS = "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the profile or role in use."
_RIGHTS = "Grant list and read (for an output also write and delete) on this prefix."

_TRANSIENT_CODES = frozenset(
    [
        "SlowDown",
        "InternalError",
        "ServiceUnavailable",
        "RequestTimeout",
        "Throttling",
        "ThrottlingException",
        "RequestLimitExceeded",
        "TooManyRequests",
        "TooManyRequestsException",
        "RequestThrottled",
        "BandwidthLimitExceeded",
        "OperationAborted",
        "ConditionalRequestConflict",
        "BadDigest",
        "IncompleteBody",
        "XAmzContentSHA256Mismatch",
        "XAmzContentChecksumMismatch",
        "408",
        "409",
        "425",
        "429",
        "500",
        "502",
        "503",
        "504",
    ]
)
_DENIED_CODES = {
    "ExpiredToken": _NEW_TOKEN,
    "TokenRefreshRequired": _NEW_TOKEN,
    "ExpiredTokenException": _NEW_TOKEN,
    "RequestTimeTooSkewed": "Set this machine's clock.",
    "AccountProblem": "Ask the owner of the account.",
    "NotSignedUp": "Ask the owner of the account.",
    "AuthorizationHeaderMalformed": "Set storage.region to the bucket's region.",
    "PermanentRedirect": "Set storage.region to the bucket's region.",
    "InvalidAccessKeyId": _KEYS,
    "SignatureDoesNotMatch": _KEYS,
    "InvalidToken": _KEYS,
    "InvalidClientTokenId": _KEYS,
    "UnrecognizedClientException": _KEYS,
    "InvalidSecurity": _KEYS,
}
_FORBIDDEN_CODES = frozenset(["AccessDenied", "AllAccessDisabled", "Forbidden", "401", "403"])
_MISSING_CODES = frozenset(["NoSuchKey", "NoSuchVersion", "NotFound", "404"])
_EXISTS_CODES = frozenset(["PreconditionFailed", "412"])
_NO_BUCKET = "Check the name of the bucket and the endpoint, or make the bucket."

# by name, because botocore, aiohttp and gcsfs are loaded only by those who use them
_TRANSIENT_NAMES = frozenset(
    [
        "HTTPClientError",
        "ConnectionError",
        "EndpointConnectionError",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "ConnectionClosedError",
        "ProxyConnectionError",
        "IncompleteReadError",
        "IncompleteRead",
        "ResponseStreamingError",
        "ClientPayloadError",
        "ClientConnectionError",
        "ServerDisconnectedError",
        "FSTimeoutError",
        "ResponseParserError",
        "FlexibleChecksumError",
        "ChecksumMismatch",
        "ChecksumError",
        "CutShortError",
        "TimeoutError",
        "CredentialRetrievalError",
        "MetadataRetrievalError",
    ]
)
_CREDENTIAL_NAMES = frozenset(
    [
        "NoCredentialsError",
        "PartialCredentialsError",
        "ProfileNotFound",
        "TokenRetrievalError",
        "SSOTokenLoadError",
        "UnauthorizedSSOTokenError",
        "DefaultCredentialsError",
        "RefreshError",
    ]
)
_TRANSIENT_ERRNOS = frozenset(
    {
        errno.ECONNRESET,
        errno.ECONNREFUSED,
        errno.ECONNABORTED,
        errno.EPIPE,
        errno.ETIMEDOUT,
        errno.EHOSTUNREACH,
    }
    | {errno.ENETUNREACH, errno.ENETDOWN, errno.ESTALE, errno.EAGAIN, errno.EBUSY, errno.EINTR}
)
_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_FILE_ERRNOS = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP})


def classify(error: BaseException) -> Failure:
    """The failure behind an exception of botocore, aiohttp, fsspec, gcsfs or the operating system."""
    code, message = _store_answer(error)
    said = message if code else str(error)
    detail = redact(": ".join(filter(None, [code or type(error).__name__, said.strip().rstrip(".")])))
    if code:
        return _classify_code(code, detail)
    names = {cls.__name__ for cls in type(error).__mro__}
    if names & {"SSLError", "SSLCertVerificationError"}:
        return Failure(Kind.DENIED, detail, "Check the endpoint's certificate, or AWS_CA_BUNDLE.")
    if names & _CREDENTIAL_NAMES:
        return Failure(Kind.DENIED, detail, _KEYS + " For public data set storage.anonymous=true.")
    if isinstance(error, OSError) and error.errno is not None:
        return _classify_errno(error, detail)
    if names & _TRANSIENT_NAMES:
        return Failure(Kind.TRANSIENT, detail)
    if isinstance(error, FileNotFoundError):
        return Failure(Kind.MISSING, detail)
    if isinstance(error, FileExistsError):
        return Failure(Kind.EXISTS, detail)
    if isinstance(error, PermissionError):
        return Failure(Kind.FORBIDDEN, detail)
    return Failure(Kind.PERMANENT, detail)


def _store_answer(error: BaseException) -> tuple[str, str]:
    """The store's own code and message, from the exception or the one it was translated from."""
    seen: BaseException | None = error
    while seen is not None:
        answer = getattr(seen, "response", None)
        if isinstance(answer, dict) and "Error" in answer:
            status = str(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
            code = str(answer["Error"].get("Code") or status)
            return code, str(answer["Error"].get("Message") or "no message")
        seen = seen.__cause__
    number = getattr(error, "code", None) or getattr(error, "status", None)
    if isinstance(number, int) and 400 <= number < 600:
        return str(number), str(error)
    return "", ""


def _classify_code(code: str, detail: str) -> Failure:
    if code in _TRANSIENT_CODES:
        return Failure(Kind.TRANSIENT, detail)
    if code in _DENIED_CODES:
        return Failure(Kind.DENIED, detail, _DENIED_CODES[code])
    if code in ("NoSuchBucket", "InvalidBucketName"):
        return Failure(Kind.NO_STORE, detail, _NO_BUCKET)
    if code == "InvalidObjectState":
        return Failure(Kind.FORBIDDEN, detail, "Restore the object from its archive class first.")
    if code in _FORBIDDEN_CODES:
        return Failure(Kind.FORBIDDEN, detail, _RIGHTS)
    if code in _MISSING_CODES:
        return Failure(Kind.MISSING, detail)
    if code in _EXISTS_CODES:
        return Failure(Kind.EXISTS, detail)
    return Failure(Kind.PERMANENT, detail)


def _classify_errno(error: OSError, detail: str) -> Failure:
    if error.errno in _FULL_ERRNOS:
        return Failure(Kind.FULL, detail)
    if error.errno in _NO_FILE_ERRNOS:
        return Failure(Kind.MISSING, detail)
    if error.errno == errno.EEXIST:
        return Failure(Kind.EXISTS, detail)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Failure(Kind.FORBIDDEN, detail, _RIGHTS)
    if error.errno in _TRANSIENT_ERRNOS:
        return Failure(Kind.TRANSIENT, detail)
    return Failure(Kind.PERMANENT, detail)


def as_error(failure: Failure, uri: str, stage: str) -> MhtError:
    """The failure as an error of ours that names the address, the stage and the remedy."""
    head = f"{redact(uri)!r} at {stage}: {failure.detail}."
    if failure.kind is Kind.FULL:
        return _disk_full(uri, stage)
    if failure.kind in (Kind.DENIED, Kind.FORBIDDEN):
        return StorageDenied(f"{head} {failure.remedy or _RIGHTS}")
    if failure.kind in (Kind.MISSING, Kind.NO_STORE):
        return StorageMissing(f"{head} {failure.remedy or 'Check the address.'}")
    return StorageError(f"{head} {failure.remedy or 'Trying again would not help; check the store.'}")


def _disk_full(uri: str, stage: str) -> DiskFull:
    path = Path(os.path.abspath(local_path(uri))) if scheme_of(uri) == "file" else Path.cwd()
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free
    return DiskFull(
        f"{redact(uri)!r} at {stage}: no room left on {str(path)!r} ({free:,} bytes free). "
        "Make room, then start the same command again; it goes on where it stopped."
    )
