"""Local folders, `s3://`, `gs://` and what else fsspec knows, behind one class with one patience.

`Storage` lists, reads, writes atomically and creates if absent. It waits out an outage, stops at once where
waiting cannot help, and hands on no body that is not whole.
"""

from mht.storage.objects import OUTSIDE_ROOT, Listing, ReadRequest, Stat
from mht.storage.params import StorageParams
from mht.storage.store import Storage
from mht.storage.uris import join, scheme_of, split_wildcard

__all__ = [
    "OUTSIDE_ROOT",
    "Listing",
    "ReadRequest",
    "Stat",
    "Storage",
    "StorageParams",
    "join",
    "scheme_of",
    "split_wildcard",
]
