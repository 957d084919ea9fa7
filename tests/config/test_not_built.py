from mailsys.config import not_built_yet


def test_nothing_is_said_of_what_was_not_asked_for(read):
    assert not_built_yet(read("[[listen]]\nservice = 'smtp'\nendpoint = 'tcp:25'\n")) == []


def test_everything_that_was_asked_for_is_said(read):
    configuration = read(
        """[[listen]]
service = "smtp"
endpoint = "tcp:25"
[[listen]]
service = "web"
endpoint = "tcp:8080"
[receive]
trusted_networks = ["127.0.0.1"]
[dns]
servers = ["127.0.0.1"]
[send.routes]
"a.example" = "mx"
"""
    )
    assert not_built_yet(configuration) == [
        "listen[2] is not opened: web is not built yet.",
    ]
