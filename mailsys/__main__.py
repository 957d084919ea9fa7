"""``python -m mailsys`` is the command ``mailsys``."""

import sys

from mailsys.control import main

sys.exit(main())
