"""What the tests of the configuration share."""

import datetime

import pytest
from plugin_makers import greylist, installed

from mailsys.config import ConfigurationError, load

INSTALLED = installed(greylist())


@pytest.fixture
def read(tmp_path):
    """Load a text as configuration; it needs no hostname."""

    def read(text="", hostname='hostname = "mail.example.org"\n'):
        path = tmp_path / "mailsys.toml"
        path.write_bytes(hostname.encode() + (text if isinstance(text, bytes) else text.encode()))
        return load(str(path), INSTALLED)

    return read


@pytest.fixture
def mistakes(read):
    """The mistakes of a text, each as one line."""

    def mistakes(text, **more):
        with pytest.raises(ConfigurationError) as caught:
            read(text, **more)
        return str(caught.value).splitlines()

    return mistakes


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Two folders, each with cert.pem and key.pem."""
    from mailsys.control.self_signed import write_self_signed

    folders = [tmp_path_factory.mktemp(name) for name in ("one", "other")]
    for folder in folders:
        write_self_signed(str(folder), ["mail.example.org"], datetime.datetime.now(datetime.UTC))
    return folders
