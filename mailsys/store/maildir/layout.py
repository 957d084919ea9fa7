"""Where an account's Maildir lies, from the template in the configuration.

User and domain come from addresses, so their text is a stranger's.  Each becomes exactly one path
element, reversibly: letters, digits and ``_ + = @ , . -`` stand for themselves, every other octet
of the UTF-8 text is ``%XX``, and so is a dot at the beginning.  The empty text is a single ``%``.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from urllib.parse import quote

from mailsys.message.address import Address
from mailsys.store.maildir.folders import INBOX, folder_directory

_PLAIN = "_+=@,.-"
_VARIABLE = re.compile(r"\{(?:domain|user)\}")


def path_element(text: str) -> str:
    """The text as one safe path element; raises ValueError for a lone surrogate."""
    element = quote(text, safe=_PLAIN, errors="strict").replace("~", "%7E")
    if element.startswith("."):
        element = "%2E" + element[1:]
    return element or "%"


class Layout:
    """The template ``[store] maildir`` and the value of ``{data}``.

    ``base`` is the part above the first element that depends on the account.  It is the
    administrator's: symbolic links in it are resolved here, once.  Nothing below it may be one.
    """

    def __init__(self, template: str, data: str) -> None:
        elements = template.replace("{data}", data).split("/")
        variable = (number for number, text in enumerate(elements) if _VARIABLE.search(text))
        first = next(variable, len(elements) - 1)
        self.base = os.path.realpath("/".join(elements[:first]) or "/")
        self._below = elements[first:]
        self.folder = lru_cache(maxsize=4096)(self._folder)

    def root(self, account: Address) -> str:
        """The account's Maildir, which is its INBOX and holds its other folders."""
        return self.folder(account, INBOX)

    def _folder(self, account: Address, folder: str) -> str:
        """Return the directory of a folder; raises FolderNameError."""
        values = {"{domain}": path_element(account.domain), "{user}": path_element(account.local_part)}
        below = [_VARIABLE.sub(lambda found: values[found.group()], element) for element in self._below]
        return os.path.join(self.base, *below, folder_directory(folder)).rstrip("/")

    def elements(self, path: str) -> list[str]:
        """All directories from just below the base down to the path."""
        found = []
        while len(path) > len(self.base) and path != "/":
            found.append(path)
            path = os.path.dirname(path)
        return found[::-1]
