"""What every store that keeps folders for IMAP must do, beside what every store must."""

from __future__ import annotations

from mailsys.testing.changed_folders import CopyContract, ExpungeContract, FlagContract
from mailsys.testing.folder_list import FolderListContract
from mailsys.testing.open_folders import OpenFolderContract


class FolderStoreContract(
    FolderListContract, OpenFolderContract, FlagContract, ExpungeContract, CopyContract
):
    """Everything: give it a fixture ``store``, and ``again`` if it outlives its process."""
