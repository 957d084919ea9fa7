"""How fast is it here?  A benchmark for those who run a host: ``bench/run --help``.

It starts a mailsys of its own, or measures any server that is named.  What it measures and how to
read the figures stands in ``docs/performance.rst``.
"""
