"""The configuration: one commented TOML file, read into frozen dataclasses, checked whole.

Every setting, with its kind and default, stands in :mod:`mailsys.config.schema`.
"""

from mailsys.config.load import load
from mailsys.config.mistake import ConfigurationError, Mistake
from mailsys.config.not_built import is_built, not_built_yet
from mailsys.config.render import render_json, render_toml
from mailsys.config.schema import Configuration

__all__ = [
    "Configuration",
    "ConfigurationError",
    "Mistake",
    "is_built",
    "load",
    "not_built_yet",
    "render_json",
    "render_toml",
]
