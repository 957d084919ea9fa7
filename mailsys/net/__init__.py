"""Where Twisted meets the wire: the only Protocol subclasses of the server."""
