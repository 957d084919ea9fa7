"""The one way in which the lab fails."""


class LabFailed(Exception):  # noqa: N818 - it is a sentence for a person
    """Something did not do what it should: one plain sentence, then the end of a log if that helps."""
