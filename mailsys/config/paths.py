"""Settings that are paths: relative ones are relative to the folder of the configuration."""

from __future__ import annotations

import os
from string import Formatter

from mailsys.config.values import Wrong

MAILDIR_FIELDS = ("data", "domain", "user")
_RIGHT = 'write it as in "{data}/mail/{domain}/{user}"'


def place_path(base: str, path: str) -> str:
    """The absolute path; empty stays empty."""
    return os.path.normpath(os.path.join(base, path)) if path else ""


def place_template(base: str, template: str) -> str:
    """The absolute template; one that begins with ``{data}`` is so already."""
    if template.startswith(("/", "{data}")):
        return template
    return os.path.join(base.replace("{", "{{").replace("}", "}}"), template)


def read_template(value: object) -> str:
    """The path of a Maildir, for ``str.format`` with ``data``, ``domain`` and ``user``."""
    if not isinstance(value, str) or "\0" in value:
        raise Wrong("is not a path", _RIGHT)
    try:
        parts = list(Formatter().parse(value))
    except ValueError:
        raise Wrong("has a brace that is not closed", _RIGHT) from None
    names = {
        name + ("!" + conversion if conversion else "") + ("" if not form else ":" + form)
        for _text, name, form, conversion in parts
        if name is not None
    }
    if unknown := sorted(names - set(MAILDIR_FIELDS)):
        raise Wrong(f"has the unknown field {{{unknown[0]}}}", _RIGHT)
    if "user" not in names:
        raise Wrong("has no {user}, so that all accounts would share one mailbox", _RIGHT)
    return value
