"""Makes real hosts on loopback, with free ports."""

from mailsys.lab.host import Host
from mailsys.lab.organisation import Organisation, Person
from mailsys.lab.ports import choose_port_base

ADDRESS = "127.0.0.1"


def new_host(folder, *options, people=2):
    """A host that does not run yet, with accounts user0@system.test and so on; options are for init."""
    port_base = choose_port_base([ADDRESS], None)
    everyone = tuple(Person(f"user{number}@system.test", f"secret {number}") for number in range(people))
    host = Host(Organisation("system", "system.test", everyone, ADDRESS, port_base), folder)
    host.make(*options)
    return host
