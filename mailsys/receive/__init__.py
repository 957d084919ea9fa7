"""Mail comes in: SMTP and LMTP sessions up to the commit."""
