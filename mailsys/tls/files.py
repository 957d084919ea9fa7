"""The two files of a certificate, and how we notice that they have changed."""

from __future__ import annotations

import os
from dataclasses import dataclass

FileStamp = tuple[int, ...]  # (an error number) alone when there is nothing to see
Stamp = tuple[FileStamp, FileStamp]


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where a certificate, with those of its issuers, and its key are: absolute paths of PEM files."""

    certificate: str
    key: str

    def stamp(self) -> Stamp:
        """Changes whenever either file is written, replaced, or no longer ours to read."""
        return _stamp(self.certificate), _stamp(self.key)


def _stamp(path: str) -> FileStamp:
    try:
        found = os.stat(path)  # through links, as certbot makes them
    except OSError as error:
        return (error.errno or 0,)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, os.access(path, os.R_OK)
