"""What a message is made of, as IMAP tells it: its parts, their forms, words and sections."""
