"""The configuration: one commented TOML file, read into frozen dataclasses, checked whole."""
