"""Enter a provider, a member of staff with the providers whose sites he may see, his telephone.

The password is asked for on the terminal, or read from standard input with --password-stdin; it
is never an argument, so that it is in no history and no process list.
"""

import argparse
import getpass
import sys
from datetime import UTC, datetime

from meldkamer.project.commands._owner import with_django
from meldkamer.project.faults import OperatingFault


def arguments(parser: argparse.ArgumentParser) -> None:
    """add NAME --role ROLE --provider SLUG … | phone NAME NUMBER | provider SLUG --name --terms."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="add|phone|provider")
    add = acts.add_parser("add", help="enter a member of staff")
    add.add_argument("username")
    add.add_argument("--role", required=True, choices=["operator", "supervisor", "office"])
    add.add_argument("--language", default="nl", choices=["nl", "fr", "de", "en"])
    add.add_argument("--provider", action="append", default=[], help="short name; may be repeated")
    add.add_argument("--password-stdin", action="store_true", help="read it from standard input")
    phone = acts.add_parser("phone", help="where a supervisor is called about what nobody takes")
    phone.add_argument("username")
    phone.add_argument("number", help="such as +32475123456; empty for none")
    provider = acts.add_parser("provider", help="enter a provider")
    provider.add_argument("slug", help="short name, such as securitas")
    provider.add_argument("--name", required=True)
    provider.add_argument("--terms", required=True, help="name of a shipped terms file")


def run(options: argparse.Namespace) -> int:
    """0 when it was entered; 1 with one line that names what was wrong."""
    with_django()
    from django.core.exceptions import ValidationError

    try:
        return {"provider": _provider, "phone": _phone, "add": _add}[options.act](options)
    except ValidationError as fault:
        raise OperatingFault(_words(fault)) from None


def _words(fault: Exception) -> str:
    fields = getattr(fault, "message_dict", None)
    if fields:
        return "; ".join(f"{field}: {' '.join(words)}" for field, words in fields.items())
    return " ".join(getattr(fault, "messages", [str(fault)]))


def _provider(options: argparse.Namespace) -> int:
    from meldkamer.sites.providers import enter_provider
    from meldkamer.terms.loader import TermsFault, load

    try:
        load(options.terms)
    except TermsFault as fault:
        raise OperatingFault(str(fault)) from None
    enter_provider(options.slug, options.name, options.terms, datetime.now(UTC), "command line")
    print(f"provider {options.slug} is entered, under the terms {options.terms}")
    return 0


def _phone(options: argparse.Namespace) -> int:
    from meldkamer.people.commands import choose_phone
    from meldkamer.people.models import Staff

    staff = Staff.objects.filter(username=options.username).first()
    if staff is None:
        raise OperatingFault(f"no member of staff {options.username}")
    choose_phone(staff, options.number, datetime.now(UTC), "command line")
    print(f"{options.username} is called at {staff.phone}" if staff.phone else "no telephone")
    return 0


def _add(options: argparse.Namespace) -> int:
    from meldkamer.people.commands import enter_staff
    from meldkamer.sites.models import Provider

    known = {provider.slug: provider for provider in Provider.objects.order_by("slug")}
    strange = sorted(set(options.provider) - set(known))
    if strange or not options.provider:
        wrong = f"no provider {', '.join(strange)}" if strange else "no --provider given"
        raise OperatingFault(f"{wrong}; there are: {', '.join(known) or 'none yet'}")
    password = sys.stdin.readline().rstrip("\n") if options.password_stdin else _asked()
    chosen = [known[slug] for slug in dict.fromkeys(options.provider)]
    enter_staff(
        options.username, password, options.role, options.language, chosen, datetime.now(UTC)
    )
    print(f"{options.username} is entered as {options.role}")
    return 0


def _asked() -> str:
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise OperatingFault("the two passwords differ")
    return first
