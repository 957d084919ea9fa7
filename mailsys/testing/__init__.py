"""What every judge, router, store … must do: suites for pytest, which a plugin's own tests inherit.

A test of a whole judge is::

    from mailsys.testing import JudgeContract

    class TestBlocklist(JudgeContract):
        @pytest.fixture
        def judge(self):
            return Blocklist(Settings())

Our own judges, routers and stores, and the stand-ins of our tests, pass the same suites.
"""

import pytest

# Before they are imported, so that a failed assertion shows its values.
pytest.register_assert_rewrite(
    *[f"{__name__}.{suite}" for suite in ("accounts", "command", "delivery", "headers", "judge", "maker")],
    *[
        f"{__name__}.{suite}"
        for suite in ("queue_spool", "repeatable_drop", "router", "store", "store_asked")
    ],
    *[f"{__name__}.{suite}" for suite in ("folder_list", "folders_asked", "open_folders", "changed_folders")],
)

from mailsys.testing.accounts import AccountsContract
from mailsys.testing.command import ControlCommandContract
from mailsys.testing.delivery import DeliveryContract
from mailsys.testing.folders import FolderStoreContract
from mailsys.testing.headers import HeaderWriterContract
from mailsys.testing.judge import JudgeContract
from mailsys.testing.maker import PluginMakerContract, read_settings
from mailsys.testing.queue_spool import QueueSpoolContract
from mailsys.testing.router import RouterContract
from mailsys.testing.services import result_of, services
from mailsys.testing.store import StoreContract

__all__ = [
    "AccountsContract",
    "ControlCommandContract",
    "DeliveryContract",
    "FolderStoreContract",
    "HeaderWriterContract",
    "JudgeContract",
    "PluginMakerContract",
    "QueueSpoolContract",
    "RouterContract",
    "StoreContract",
    "read_settings",
    "result_of",
    "services",
]
