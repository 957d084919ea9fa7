"""The ports that are usual for what a mail host offers."""

# ``mailsys init --port-base`` and the lab add the same number to each.
STANDARD_PORTS = {
    "smtp": 25,
    "lmtp": 24,
    "submission": 587,
    "submissions": 465,
    "pop3": 110,
    "pop3s": 995,
    "imap": 143,
    "imaps": 993,
}
