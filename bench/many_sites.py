"""A provider with as many sites as one likes, entered by the database itself.

Spread as a country is: 1,100 postal codes, the first hundred of them towns that hold half of all
sites; each code has its place on the map and its sites lie within some 3 km of it. Every site has
two or three contacts, four zones, a customer, one of 200 installers, and a transmitter without a
key whose account is its number plus `FIRST_ACCOUNT`, as five hexadecimal digits. What the tables
ask besides is left empty.
"""

from typing import Any

FIRST_ACCOUNT = 0x10000
CODES, TOWNS = 1100, 100
_EMPTY = {"boolean": "false", "ARRAY": "'{}'", "jsonb": "'{}'", "smallint": "0", "integer": "0"}
_NUMBERS = "generate_series(1, {sites}) AS n"
#: (table, its columns, from what): `n` is the number of the site
_TABLES: tuple[tuple[str, dict[str, str], str], ...] = (
    (
        "sites_installer",
        {"provider_id": "{provider}", "name": "'Installer ' || n", "language": "'nl'",
         "email": "'i' || n || '@example.be'"},
        "generate_series(1, 200) AS n",
    ),
    (
        "sites_customer",
        {"id": "n", "provider_id": "{provider}", "name": "'Customer ' || n", "kind": "'business'",
         "language": "'nl'", "email": "'k' || n || '@example.be'"},
        _NUMBERS,
    ),
    (
        "sites_site",
        {"id": "n", "provider_id": "{provider}", "customer_id": "n", "installer_id": "n % 200 + 1",
         "name": "'Zaak ' || n", "street": "'Kerkstraat ' || n % 300",
         "postal_code": "(1000 + code * 8)::text", "town": "'Gemeente ' || code",
         "latitude": "50.7 + sin(code) * 0.7 + (abs(hashint4(n)) % 1000 - 500) * 0.00005",
         "longitude": "4.4 + cos(code * 7) * 1.5 + (abs(hashint4(-n)) % 1000 - 500) * 0.00008",
         "timezone": "'Europe/Brussels'", "language": "'nl'", "plan": "'proguard'",
         "formula": "(ARRAY['operator', 'mix', 'app'])[n % 3 + 1]",
         "premises_phone": "'+3292' || lpad((n % 1000000)::text, 6, '0')",
         "in_force_from": "now() - interval '400 days'",
         "created_at": "now() - interval '400 days'"},
        # a number per site that looks like chance and is the same at every run
        "(SELECT n, CASE WHEN n % 2 = 0 THEN abs(hashint4(n * 31)) % {towns}"
        " ELSE abs(hashint4(n * 37)) % {codes} END AS code"
        " FROM generate_series(1, {sites}) AS n) AS one",
    ),
    (
        "sites_transmitter",
        {"site_id": "n", "protocol": "'dc09'", "account": "upper(to_hex({account} + n))",
         "active": "true", "supervised": "true"},
        _NUMBERS,
    ),
    (
        "sites_zone",
        {"site_id": "n", "number": "z::text", "name": "'Zone ' || z",
         "detector": "'detector-' || z", "kind": "'pir'"},
        _NUMBERS + ", generate_series(1, 4) AS z",
    ),
    (
        "sites_contact",
        {"site_id": "n", "position": "p", "name": "'Contact ' || p", "language": "'nl'",
         "phone": "'+324' || lpad((70000000 + (n * 3 + p) % 9999999)::text, 8, '0')",
         "email": "'c' || n || p || '@example.be'"},
        _NUMBERS + ", generate_series(1, 3) AS p WHERE p < 3 OR n % 2 = 0",
    ),
)  # fmt: skip


def enter(cursor: Any, sites: int, terms: str = "securitas-2022-05") -> int:
    """Enter them under a provider of their own, as the owner of the tables; the provider's id.

    The numbers of the sites are 1 to `sites`; the database had none before.
    """
    words = {"sites": sites, "account": FIRST_ACCOUNT, "codes": CODES, "towns": TOWNS}
    named = {"slug": "'bench'", "name": "'Bench'", "terms": f"'{terms}'"}
    _insert(cursor, "sites_provider", named, "generate_series(1, 1) AS n", words)
    cursor.execute("SELECT max(id) FROM sites_provider")
    provider = int(cursor.fetchone()[0])
    for table, columns, source in _TABLES:
        _insert(cursor, table, columns, source, {**words, "provider": provider})
    for table in ("sites_customer", "sites_site"):
        cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {int(sites)})")
    for table, _, _ in _TABLES:
        cursor.execute(f"ANALYZE {table}")
    return provider


def _insert(
    cursor: Any, table: str, columns: dict[str, str], source: str, words: dict[str, int]
) -> None:
    cursor.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s"
        " AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'",
        [table],
    )
    empty = {name: _EMPTY.get(kind, "''") for name, kind in cursor.fetchall()}
    wanted = empty | columns
    values = ", ".join(value.replace("'{}'", "'{{}}'") for value in wanted.values())
    statement = f"INSERT INTO {table} ({', '.join(wanted)}) SELECT {values} FROM {source}"  # noqa: S608
    cursor.execute(statement.format(**words))
