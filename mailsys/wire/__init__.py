"""Protocol machines: bytes in, events out.  No Twisted, no clock, no files."""
