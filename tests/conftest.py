"""What all tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same cases each time, so that ./check says the same twice; pytest bounds the time.
# To look for new cases: ./check --hypothesis-profile=default, and for many of them
# ./check tests/fuzz --hypothesis-profile=long --timeout=3600
settings.register_profile("check", derandomize=True, deadline=None)
settings.register_profile("long", max_examples=4000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("check")

REPOSITORY = Path(__file__).parent.parent

# Programs that tests start find this checkout, installed or not.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))


@pytest.fixture(scope="session")
def repository():
    """The checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def _working_directory(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cwd")
    before = os.getcwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.fixture(autouse=True)
def _nothing_is_written_where_it_runs(_working_directory):
    """A test has folders of its own; ./check is called in the checkout, and leaves nothing there."""
    yield
    found = set(os.listdir(_working_directory)) - {".hypothesis"}
    assert not found, f"in the working directory: {found}"


@pytest.fixture(scope="session")
def shared_data():
    """Data that lies beside some checkouts and is no part of the project; without it, skip."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("there is no ../shared/data beside this checkout")
    return folder


def pytest_terminal_summary(terminalreporter):
    """Say at the end, where people look, what ./check found wrong before the tests."""
    if failed := os.environ.get("MAILSYS_CHECK_FAILED", "").split():
        terminalreporter.write_line(
            f"check: failed before the tests, see above: {', '.join(failed)}", red=True
        )
