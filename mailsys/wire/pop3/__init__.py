"""POP3 as a server speaks it (RFC 1939, 2449, 2595, 3206, 5034, 6856), without any I/O."""
