"""``mailsys domain add``, ``remove``, ``list`` and others: the domains whose mail is ours."""

from __future__ import annotations

import argparse
import time

from mailsys.control import domain_dns, domain_keys
from mailsys.control.configuration import read_configuration
from mailsys.control.domain_keys import opened_keys
from mailsys.control.offline import opened_accounts, print_json, print_table, read_domain
from mailsys.message.address import display_domain


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``domain``."""
    parser = subcommands.add_parser("domain", help="add, remove and list domains")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    adder = actions.add_parser("add", help="take mail for a domain")
    adder.set_defaults(run=run_add)
    adder.add_argument("domain", metavar="DOMAIN", nargs="+")
    remover = actions.add_parser("remove", help="take no more mail for a domain")
    remover.set_defaults(run=run_remove)
    remover.add_argument("domain", metavar="DOMAIN")
    remover.add_argument(
        "--force", action="store_true", help="even with accounts and aliases, which go with it"
    )
    lister = actions.add_parser("list", help="list the domains, the oldest first")
    lister.set_defaults(run=run_list)
    lister.add_argument("--json", action="store_true", help="as JSON")
    domain_dns.add_parsers(actions)
    domain_keys.add_parser(actions)


def run_add(arguments: argparse.Namespace) -> int:
    """Take mail for these domains from now on."""
    from mailsys.dkim.keys import first_keys

    domains = list(map(read_domain, arguments.domain))
    with opened_accounts(read_configuration(arguments)) as offline:
        for domain in domains:
            offline.database.domains.add(domain)
            with opened_keys(offline.configuration, domain) as files:
                first_keys(files, domain, time.time())
            print(f"Mail for {display_domain(domain)} is taken from now on.")
            print(offline.postmaster_sentence(domain))
            print(f"What to publish in DNS, 'mailsys domain records {display_domain(domain)}' tells.")
    return 0


def run_remove(arguments: argparse.Namespace) -> int:
    """Forget a domain and its keys, and say what stays on the disk."""
    from mailsys.dkim.keys import forget_domain

    domain = read_domain(arguments.domain)
    with opened_accounts(read_configuration(arguments)) as offline:
        accounts = [listed.account.address for listed in offline.database.accounts.all(domain)]
        offline.database.domains.remove(domain, with_contents=arguments.force)
        offline.forget_logins(accounts)
        with opened_keys(offline.configuration, domain) as files:
            forget_domain(files, domain)
        print(f"Mail for {display_domain(domain)} is refused from now on, and its DKIM keys are gone.")
        for address in accounts:
            print(offline.kept_mail_sentence(address))
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    """List the domains."""
    with opened_accounts(read_configuration(arguments)) as offline:
        domains = offline.database.domains.all()
    if arguments.json:
        print_json([{"domain": d.name, "accounts": d.accounts, "aliases": d.aliases} for d in domains])
    else:
        rows = [(display_domain(d.name), str(d.accounts), str(d.aliases)) for d in domains]
        print_table(("DOMAIN", "ACCOUNTS", "ALIASES"), rows)
    return 0
