"""The nouns that everyone shares: addresses, envelopes, contents, replies.  No I/O of its own, no Twisted."""
