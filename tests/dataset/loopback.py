"""The phantoms on an S3 of the loopback, and what the tests ask of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mht.storage import Storage, StorageParams
from tests.dataset.oracle import common
from tests.s3_server import Faults, S3Server, start_s3

INPUT = "s3://images/phantoms"


class Loopback:
    """An S3 with the phantoms in bucket `images` and an empty bucket `out`."""

    def __init__(self, server: S3Server) -> None:
        self.server = server
        # Anonymous: Ray's workers were started before this server, without its credentials.
        self.params = StorageParams(endpoint_url=server.endpoint_url, anonymous=True)
        self.storage = Storage(self.params)

    def words(self, output: str, *more: str) -> Sequence[str]:
        """A build from this S3 to this S3."""
        where = (f"storage.endpoint_url={self.server.endpoint_url}", "storage.anonymous=true")
        return common(INPUT, output, *where, *more)

    def commits(self, output: str) -> dict[str, bytes]:
        """Each commit record by name; its seconds tell whether the shard was ever made again."""
        found = self.storage.list(f"{output}/commits")
        return {item.name: self.storage.read(item.uri) for item in found}

    def committed(self, output: str) -> int:
        return sum(1 for _ in self.storage.list(f"{output}/commits"))

    def clean(self) -> None:
        self.server.restore()
        self.server.set_faults(Faults())
        self.server.reset_counts()


def open_to_all(server: S3Server, bucket: str) -> None:
    """Lets callers without credentials read, write and delete."""
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=server.endpoint_url,
        region_name=server.env["AWS_DEFAULT_REGION"],
        aws_access_key_id=server.env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=server.env["AWS_SECRET_ACCESS_KEY"],
    )
    rule = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/*"}
    client.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [rule]}))
    client.close()


@contextmanager
def loopback(phantoms: Path) -> Iterator[Loopback]:
    """The S3, filled with the files of the folder that a build reads."""
    with start_s3("images", "out") as server:
        for bucket in ("images", "out"):
            open_to_all(server, bucket)
        store = Loopback(server)
        lines = (phantoms / "metadata.jsonl").read_text().splitlines()
        names = ["metadata.jsonl", *(json.loads(line)["file_name"] for line in lines)]
        for name in names:
            store.storage.write(f"{INPUT}/{name}", (phantoms / name).read_bytes())
        yield store
