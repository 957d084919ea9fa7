from mailsys.config.renewal import renew

LISTEN = '[[listen]]\nservice = "smtp"\nendpoint = "tcp:25"\ntls = "{}"\n'
TLS = '[tls]\ncertificate = "{0}/cert.pem"\nkey = "{0}/key.pem"\n'


def test_what_can_be_changed_is_taken_over(read):
    running = read()
    new = read(
        '[auth]\nplaintext = "never"\n[limits]\nmessage_size = "1M"\n[judge]\njudges = []\n'
        '[receive]\nseparator = "-"\n',
        hostname='hostname = "mx.example.org"\n',
    )
    renewal = renew(running, new)
    assert renewal.configuration == new
    assert renewal.needs_restart == ()


def test_what_needs_a_restart_stays_and_is_named(read):
    running = read("data = '/srv/mail'\n" + LISTEN.format("none"))
    new = read(
        "data = '/srv/other'\n[process]\nuser = 'root'\n[store]\nmaildir = '/srv/{user}'\n"
        "[auth]\nplaintext = 'always'\nhashing_threads = 5\n[limits]\nrecipients = 500\n"
    )
    configuration, names = (renewal := renew(running, new)).configuration, renewal.needs_restart
    assert names == ("data", "listen", "process.user", "store.maildir", "auth.hashing_threads")
    assert configuration.data == "/srv/mail"
    assert configuration.listen == running.listen
    assert (configuration.auth.plaintext, configuration.auth.hashing_threads) == ("always", 2)
    assert configuration.limits.recipients == 500
    assert renew(configuration, new) == renewal  # told each time


def test_ports_that_are_open_keep_the_certificate_that_they_promise(read, certificates):
    tls = TLS.format(certificates[0])
    renewal = renew(read(tls + LISTEN.format("starttls")), read(LISTEN.format("none")))
    assert renewal.needs_restart == ("listen", "tls")
    assert renewal.configuration.tls.certificate


def test_another_certificate_is_taken_over(read, certificates):
    listen = LISTEN.format("implicit")
    new = read(TLS.format(certificates[1]) + listen)
    renewal = renew(read(TLS.format(certificates[0]) + listen), new)
    assert renewal.configuration.tls == new.tls
    assert renewal.needs_restart == ()
