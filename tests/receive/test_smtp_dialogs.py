"""Every SMTP and LMTP dialog, line by line and octet by octet."""

from pathlib import Path

import pytest
from dialogs.runner import WAYS, play, read_dialog
from smtp_house import House

FOLDER = Path(__file__).parent.parent / "dialogs"
ROWS = {
    "auth": 20,
    "auth-in-the-clear": 20,
    "auth-too-long": 20,
    "no-login-here": 20,
    "bad-message": 18,
    "bare-line-ends": 2,
    "browser": 9,
    "chunks": 17,
    "early-talker": 8,
    "nuls": 9,
    "recipients": 15,
    "sizes": 12,
    "ssh": 9,
    "starttls": 6,
    "starttls-injection": 5,
    "tls-hello": 9,
}
IN_ONE_SEGMENT = {"starttls-injection"}  # what it is about is lost when the segment is cut

DIALOGS = [
    pytest.param(
        dialog,
        way,
        id=f"{dialog.name}-{way}",
        marks=[pytest.mark.row(ROWS[dialog.name])] if dialog.name in ROWS else [],
    )
    for path in sorted([*FOLDER.glob("smtp/*.dialog"), *FOLDER.glob("lmtp/*.dialog")])
    for dialog in [read_dialog(path)]
    for way in WAYS
    if dialog.name not in IN_ONE_SEGMENT or way == "line by line"
]


def test_there_are_dialogs():
    assert len(DIALOGS) > 20


@pytest.mark.parametrize(("dialog", "way"), DIALOGS)
def test_dialog(dialog, way, tmp_path):
    """Rows 2, 5, 6, 9, 12, 15, 17, 18 and 20 among others: see the first line of each file."""
    play(dialog, House(str(tmp_path)).conversation, way)
