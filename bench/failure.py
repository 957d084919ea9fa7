"""The one way in which a measurement fails as a whole."""


class BenchFailed(Exception):  # noqa: N818 - a sentence for a person
    """There are no figures; the text says why, in one plain sentence, then the end of a log if that helps."""
