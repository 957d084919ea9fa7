"""What senders are told: it failed, it still waits, it arrived (RFC 3461 to 3464, 6522, 6533)."""
