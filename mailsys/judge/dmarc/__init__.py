"""DMARC: did the domain in From vouch for the message, and what does it want done if not?  RFC 9989."""
