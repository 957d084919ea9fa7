"""Every IMAP dialog: line by line, octet by octet, and pipelined in two segments."""

from pathlib import Path

import pytest
from dialogs.runner import WAYS, play, play_pipelined, read_dialog
from imap_house import House

DIALOGS = [read_dialog(path) for path in sorted(Path(__file__).parent.glob("../dialogs/imap/*.dialog"))]
ROWS = {"browser": 9, "nuls": 9, "sasl-bad": 20}
CUTS = 60  # of a dialog that is pipelined

dialogs = pytest.mark.parametrize(
    "dialog",
    [
        pytest.param(
            dialog, id=dialog.name, marks=[pytest.mark.row(ROWS[dialog.name])] if dialog.name in ROWS else []
        )
        for dialog in DIALOGS
    ],
)


def test_there_are_dialogs():
    assert len(DIALOGS) > 10
    assert set(ROWS) <= {dialog.name for dialog in DIALOGS}


@dialogs
@pytest.mark.parametrize("way", WAYS)
def test_dialog(dialog, way):
    """Rows 9 and 20 among others: see the first line of each file."""
    play(dialog, House().conversation, way)


@dialogs
def test_dialog_pipelined_and_split(dialog):
    """Rows 9 and 20 among others: the answers do not depend on how the bytes are cut."""
    step = len(dialog.sent) // CUTS + 1
    for split in {*range(0, len(dialog.sent) + 1, step), len(dialog.sent)}:
        play_pipelined(dialog, House().conversation, split)
