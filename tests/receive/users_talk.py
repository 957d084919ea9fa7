"""What users and others say on a connection, after their greeting and login."""

from dialogs.runner import Play

from mailsys.message.address import parse_address

LOGIN = "AUTH PLAIN AGFubkBvdXIuZXhhbXBsZQBjb3JyZWN0IGhvcnNl"
ANN, BOB, FAR = map(parse_address, ("ann@our.example", "bob@our.example", "eve@far.example"))
LETTER = "From: ann@our.example\r\nSubject: x\r\n\r\nHello\r\n."


def talk(house, *lines, service="submission"):
    """The answer to the greeting, and those to each line; ann has logged in where users send."""
    play = Play(house.conversation, {"service": service})
    play.connection.take()
    hello = play.say(f"{'LHLO' if service == 'lmtp' else 'EHLO'} client.example\r\n".encode())
    if service == "submission":
        assert play.say(f"{LOGIN}\r\n".encode()).startswith(b"235")
    return hello.decode(), [play.say(f"{line}\r\n".encode()).decode() for line in lines]
