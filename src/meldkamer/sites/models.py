"""What is watched: providers, customers, sites, transmitters, zones, contacts, installers.

Master data only: no rules, no deadlines. Never holds a secret in the clear: transmitter keys are
sealed (`sites.sealing`), identification codes are keyed hashes (`people.codes`).
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from meldkamer.sites.procedure_models import ProcedureVersion as ProcedureVersion
from meldkamer.sites.service_models import EmergencyNote as EmergencyNote
from meldkamer.sites.service_models import ServiceNumber as ServiceNumber


class Provider(models.Model):
    """A tenant. Its promises are the terms file that `terms` names (D0, S24.2, S24.5)."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    terms = models.CharField(max_length=80)
    operating_company = models.CharField(max_length=120, blank=True)
    company_number = models.CharField(max_length=20, blank=True)
    licence = models.CharField(max_length=80, blank=True)
    licence_until = models.DateField(null=True, blank=True)
    # of the operating company, on one line: on every document (S24.5), and where post comes back to
    seat = models.CharField(max_length=160, blank=True)
    emergency_phone = models.CharField(max_length=24, blank=True)
    office_email = models.EmailField(blank=True)
    # demo and training: nothing of it ever leaves the house, every channel is the sandbox
    practice = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class Installer(models.Model):
    """Who installed a transmitter and is told of its faults (S10.3, S10.5)."""

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT)
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=24, blank=True)
    language = models.CharField(max_length=2, default="nl")

    def __str__(self) -> str:
        return self.name


class Customer(models.Model):
    """The party of the contract: consumer or business (S5.2: a plan never decides that)."""

    class Kind(models.TextChoices):
        CONSUMER = "consumer", _("consumer")
        BUSINESS = "business", _("business")

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.CONSUMER)
    language = models.CharField(max_length=2, default="nl")
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=24, blank=True)

    def __str__(self) -> str:
        return self.name


class Site(models.Model):
    """A risk address with its instruction sheet: what is watched and what was agreed for it."""

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT)
    installer = models.ForeignKey(Installer, null=True, blank=True, on_delete=models.PROTECT)
    name = models.CharField(max_length=120)
    street = models.CharField(max_length=160, blank=True)
    postal_code = models.CharField(max_length=10, blank=True)
    town = models.CharField(max_length=80, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    timezone = models.CharField(max_length=40, default="Europe/Brussels")
    language = models.CharField(max_length=2, default="nl")
    plan = models.CharField(max_length=40)
    formula = models.CharField(max_length=20, blank=True)
    # null: no selection recorded, so every type is handled (S6.3)
    types = ArrayField(models.CharField(max_length=24), null=True, blank=True)
    options = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    premises_phone = models.CharField(max_length=24, blank=True)
    premises_person = models.CharField(max_length=120, blank=True)
    police_zone = models.CharField(max_length=80, blank=True)
    access_note = models.TextField(blank=True)
    key_note = models.CharField(max_length=160, blank=True)
    # the sheet may shorten the wait of S10.1 (medical homes, cold stores)
    power_delay_s = models.PositiveIntegerField(null=True, blank=True)
    # the panel maker's cloud that carries the app; empty: our own push (S8.3)
    app_cloud = models.CharField(max_length=80, blank=True)
    # that cloud tells the customer by itself: we write it down and send no second one
    app_notifies = models.BooleanField(default=False)
    # the installer who manages the app; empty: the site's installer (S8.5)
    app_managed_by = models.CharField(max_length=120, blank=True)
    test_period_s = models.PositiveIntegerField(null=True, blank=True)
    test_wait_s = models.PositiveIntegerField(null=True, blank=True)
    # clock times of the site at which its tests come; they go before the period (S10.3)
    test_times = ArrayField(models.TimeField(), default=list, blank=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    # the contract year of the quota counts from here (S13.1)
    contract_start = models.DateField(null=True, blank=True)
    # null: not in force yet (S4.2, D903.1)
    in_force_from = models.DateTimeField(null=True, blank=True)
    armed = models.BooleanField(null=True, blank=True)
    armed_changed_at = models.DateTimeField(null=True, blank=True)
    armed_by = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()
    # the provider's own control room: what fails in the house is an incident there
    house = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider"], condition=Q(house=True), name="one_house_per_provider"
            )
        ]
        indexes = [
            models.Index(fields=["provider", "postal_code"]),
            models.Index(fields=["name"]),
            # who else lies within so many kilometres (S10.2)
            models.Index(fields=["provider", "latitude", "longitude"], name="sites_by_position"),
            # who is in trial (S4.3)
            models.Index(fields=["provider", "activated_at"], name="sites_by_activation"),
        ]

    def __str__(self) -> str:
        return self.name


class Transmitter(models.Model):
    """What dials in for a site. The account key is the triple of DC-09: receiver, line, account.

    An empty receiver or line matches any. `key_sealed` is the AES key, sealed; a transmitter with
    a key is never believed in plain.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="transmitters")
    protocol = models.CharField(max_length=12, default="dc09")
    receiver = models.CharField(max_length=6, blank=True)
    line = models.CharField(max_length=6, blank=True)
    account = models.CharField(max_length=16)
    key_sealed = models.BinaryField(null=True, blank=True)
    key_bits = models.PositiveSmallIntegerField(null=True, blank=True)
    clock_offset_s = models.IntegerField(default=0)
    label = models.CharField(max_length=80, blank=True)
    active = models.BooleanField(default=True)
    # whether test messages are expected of it, where the sheet has line tests (S10.3)
    supervised = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["protocol", "receiver", "line", "account"],
                condition=Q(active=True),
                name="one_active_transmitter_per_account",
            ),
        ]

    def __str__(self) -> str:
        return self.account


class Zone(models.Model):
    """A zone of a site: its number as the panel sends it, its detector and kind (S9.2)."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="zones")
    number = models.CharField(max_length=8)
    area = models.CharField(max_length=8, blank=True)
    name = models.CharField(max_length=80, blank=True)
    detector = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=24, blank=True)
    # another incident type than the code's, where the sheet says so (M1.2)
    type = models.CharField(max_length=24, blank=True)
    service_phone = models.CharField(max_length=24, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "number"], name="one_zone_per_number"),
        ]
        ordering = ["site", "number"]

    def __str__(self) -> str:
        return f"{self.number} {self.name}".strip()


class Contact(models.Model):
    """A person on the call list (S17.1). Codes are stored as keyed hashes alone (S18.1)."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="contacts")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    phone = models.CharField(max_length=24, blank=True)
    email = models.EmailField(blank=True)
    language = models.CharField(max_length=2, default="nl")
    relation = models.CharField(max_length=80, blank=True)
    has_keys = models.BooleanField(default=True)
    knows_codes = models.BooleanField(default=True)
    minutes_away = models.PositiveSmallIntegerField(null=True, blank=True)
    confirmed_on = models.DateField(null=True, blank=True)
    # hours of the week as `rules.reach` reads them; empty: always
    reachable = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "position"],
                name="one_contact_per_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
        ]
        ordering = ["site", "position"]

    def __str__(self) -> str:
        return self.name


class IdentificationCode(models.Model):
    """A live code: a keyed hash, unique within the provider; a new one voids the old (S18.1).

    A duress code (M7.1) sounds accepted and is unique in the same set.
    """

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="codes")
    code_mac = models.BinaryField()
    duress = models.BooleanField(default=False)
    issued_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "code_mac"], name="code_unique_in_provider"
            ),
            models.UniqueConstraint(fields=["contact", "duress"], name="one_live_code_per_contact"),
        ]

    def __str__(self) -> str:
        return f"code of {self.contact_id}"


class SiteCode(models.Model):
    """A code of a site that a patrol needs there: of its gate, its key box. Sealed (S6.1).

    Entered and replaced, never shown again in the office; shown to the unit that is on site alone.
    """

    class Kind(models.TextChoices):
        GATE = "gate", _("Gate code")
        KEY_BOX = "key_box", _("Key box code")
        DOOR = "door", _("Door code")

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="site_codes")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    sealed = models.BinaryField()
    entered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "kind"], name="one_code_per_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.site_id}"


class OpeningHours(models.Model):
    """Agreed hours of one weekday of a site or area (S11.1).

    Weekday 0 is Monday, 7 a public holiday; a holiday overrides its weekday, a date overrides both.
    Without `opens` and `closes` that day has no hours.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="hours")
    area = models.CharField(max_length=8, blank=True)
    weekday = models.PositiveSmallIntegerField(null=True, blank=True)
    on_date = models.DateField(null=True, blank=True)
    opens = models.TimeField(null=True, blank=True)
    closes = models.TimeField(null=True, blank=True)
    margin_s = models.PositiveIntegerField(default=900)
    # still open after closing time: told again so often; null: as the terms say, 0: once
    repeat_s = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(weekday__isnull=False) ^ Q(on_date__isnull=False),
                name="hours_for_a_weekday_or_a_date",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.weekday if self.weekday is not None else self.on_date}"


class SheetChange(models.Model):
    """A written change of the instruction sheet, from a date, for good or for a period (S22.1).

    `before` keeps the values it replaced. A change that breaks a rule is kept, refused, with the
    clause; it never takes effect (S14.1, R30).
    """

    class State(models.TextChoices):
        PLANNED = "planned"
        IN_FORCE = "in_force"
        ENDED = "ended"
        REFUSED = "refused"

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="sheet_changes")
    changes = models.JSONField()
    before = models.JSONField(default=dict)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PLANNED)
    asked_by = models.CharField(max_length=120, blank=True)
    asked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=models.F("starts_at")),
                name="a_sheet_change_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site_id} {self.state}"
