"""What an organisation publishes in DNS, and whether it does."""
