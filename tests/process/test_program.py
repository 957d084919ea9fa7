"""A server that could not read its own program once it is somebody else does not start."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from mailsys.process import CannotBecome, check_program

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def library():
    """A folder that everybody may read."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "lib").mkdir(mode=0o755)
    yield folder / "lib"
    shutil.rmtree(folder)


def may_nobody_read(folder):
    check_program("nobody", ("/", str(folder)))


@root_only
def test_what_all_may_read_is_fine(library):
    may_nobody_read(library)
    library.parent.chmod(0o711)  # to be entered is enough above it
    may_nobody_read(library)


@root_only
@pytest.mark.parametrize(("above", "itself"), [(0o700, 0o755), (0o755, 0o700), (0o755, 0o711)])
def test_what_is_shut_is_told(library, above, itself):
    library.parent.chmod(above)
    library.chmod(itself)
    with pytest.raises(
        CannotBecome, match=f"is in {library}, where nobody, whom the server becomes, may not read"
    ):
        may_nobody_read(library)


def test_who_stays_who_he_is_is_not_asked(tmp_path):
    check_program("", (str(tmp_path / "missing"),))
