"""What an endpoint's address and its key may look like; nothing is asked of the network."""

from __future__ import annotations

import ipaddress
import os
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """True for `localhost` and the addresses of this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def url_fault(url: str) -> str | None:
    """Why an address cannot be a base_url; None when it can. Never quotes what may be a secret."""
    try:
        parts = urlsplit(url)
        port_is_wrong = parts.port == 0
    except ValueError:
        return "is no address"
    if parts.scheme not in ("http", "https") or not parts.hostname or port_is_wrong:
        return "must start with https://, or with http:// on loopback, and name a host"
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        return "must have no user, password, query or fragment; the key comes from the environment"
    if parts.scheme == "http" and not is_loopback(url):
        return "sends the key and the images in clear; use https:// off loopback"
    if parts.path.rstrip("/").endswith("/chat/completions"):
        return "must end before /chat/completions, which is added"
    return None


def key_of(variable: str) -> str | None:
    """The key in an environment variable; None when it is unset or blank."""
    return os.environ.get(variable, "").strip() or None
