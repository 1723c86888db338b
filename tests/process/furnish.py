"""`python -m tests.process.furnish ACCOUNT …`: a site for each account, and two operators.

On some sites a trial ends or the contract comes into force while the test runs.
"""

import sys
from datetime import UTC, datetime, timedelta

from meldkamer.project.commands._owner import with_django


def main() -> int:
    """Fill the database."""
    with_django()
    from django.db import connection, transaction

    from meldkamer.contracts import commands as contracts
    from meldkamer.incidents.deciding.facts import terms_of
    from tests.incidents.town import Town

    now = datetime.now(UTC)
    with transaction.atomic():
        town = Town(now=now)
        formulas = ("operator", "mix", "app")
        for number, account in enumerate(sys.argv[1:]):
            site = town.build_site(
                f"Site {account}", account=account, codes=False, formula=formulas[number % 3],
                options=["patrol"] if number % 2 else [],
            )  # fmt: skip
            soon = timedelta(seconds=5 + 2 * number)
            if number % 4 == 1:
                terms = terms_of(site)
                begun = now + soon - timedelta(days=terms.trial.days)
                contracts.activate(site, terms, begun, now)
            elif number % 4 == 3:
                contracts.put_in_force(site, now + soon, now)
        with connection.cursor() as cursor:
            cursor.execute("NOTIFY meldkamer_transmitters")
    return 0


if __name__ == "__main__":
    sys.exit(main())
