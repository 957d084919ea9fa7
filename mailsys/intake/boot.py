"""Which run of the machine this is: the page cache lives as long."""

from __future__ import annotations

BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id"


def boot_id() -> str:
    """A text that is another after each start of the machine.

    Empty where the kernel does not tell; then every start counts as one after a loss of power.
    """
    try:
        with open(BOOT_ID_FILE, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
