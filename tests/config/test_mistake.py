"""How a mistake is told."""

import pytest

from mailsys.config import ConfigurationError, load
from mailsys.control.configuration import installed


@pytest.mark.row(63)
@pytest.mark.parametrize(
    "line",
    [
        '[[listen]]\nservice = "smtp"\nendpoint = "\\u001b[2J"',
        '[receive]\ntrusted_networks = ["\\u001b[2J"]',
        '[judge]\njudges = ["\\u202e"]',
    ],
)
def test_no_value_does_harm_to_a_terminal(tmp_path, line):
    """Row 63: what stands in a file is told as it would be typed."""
    path = tmp_path / "mailsys.toml"
    path.write_text(f'hostname = "mail.example.org"\n{line}\n')
    with pytest.raises(ConfigurationError) as caught:
        load(str(path), installed())
    assert all(str(mistake).isprintable() for mistake in caught.value.mistakes)
