"""DKIM: who signed a message, our own signatures, and the keys for them."""
