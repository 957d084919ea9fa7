"""Settings that are paths: relative ones are relative to the folder of the configuration."""

from __future__ import annotations

import os
import re

from mailsys.config.values import Wrong

MAILDIR_FIELDS = ("data", "domain", "user")
_FIELD = re.compile(r"\{([^{}]*)\}")
_RIGHT = 'write it as in "{data}/mail/{domain}/{user}"'


def place_path(base: str, path: str) -> str:
    """The absolute path; empty stays empty."""
    return os.path.normpath(os.path.join(base, path)) if path else ""


def place_template(base: str, template: str) -> str:
    """The absolute template; one that begins with ``{data}`` is so already."""
    return template if template.startswith(("/", "{data}")) else os.path.join(base, template)


def read_template(value: object) -> str:
    """The path of a Maildir, in which the store replaces ``{data}``, ``{domain}`` and ``{user}``."""
    if not isinstance(value, str) or "\0" in value:
        raise Wrong("is not a path", _RIGHT)
    names = _FIELD.findall(value)
    if unknown := sorted(set(names) - set(MAILDIR_FIELDS)):
        raise Wrong(f"has the unknown field {{{unknown[0]}}}", _RIGHT)
    if set("{}") & set(_FIELD.sub("", value)):
        raise Wrong("has a brace that is not closed", _RIGHT)
    if "user" not in names:
        raise Wrong("has no {user}, so that all accounts would share one mailbox", _RIGHT)
    return value


def field_in(folder: str) -> str:
    """What the store would take for a field in the name of a real folder; empty when there is nothing."""
    return next((field for name in MAILDIR_FIELDS if (field := f"{{{name}}}") in folder), "")
