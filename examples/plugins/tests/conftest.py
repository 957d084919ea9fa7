"""The plugins stand beside this folder; their makers are found as if it were on PYTHONPATH."""

from pathlib import Path

import mailsys.plugins

FOLDER = str(Path(__file__).parent.parent / "mailsys" / "plugins")
if FOLDER not in mailsys.plugins.__path__:
    mailsys.plugins.__path__.append(FOLDER)
