"""A folder in memory where the machine has one: thousands of small files come and go."""

import os
import shutil
import tempfile

import pytest


@pytest.fixture
def root():
    """A path where a data directory can be made, and made anew."""
    memory = "/dev/shm"
    folder = tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None)
    yield os.path.join(folder, "data")
    shutil.rmtree(folder)
