"""What an instruction sheet may hold under its plan, before anybody is asked to work by it.

Why: one answer for the office's forms, the import and the rehearsal (R30), each refusal with its
clause. Never: look at anything but the sheet and the terms. Invariant: a sheet without a refused
finding can be worked by the procedures of its terms.
"""

from __future__ import annotations

from collections.abc import Collection

from meldkamer.terms.findings import Finding as Finding
from meldkamer.terms.loader import ALL_TYPES
from meldkamer.terms.model import Plan, Terms

#: what may be taken beside the plan (S6.1, S21.1, S11.1)
OPTIONS = (
    "patrol",
    "reports_daily",
    "reports_weekly",
    "reports_monthly",
    "video",
    "open_close",
)
OPEN_CLOSE = "open_close"
#: left out only by a signed tick (S6.3)
VITAL_TYPES = ("holdup", "fire", "medical")


def check(
    plan: str,
    formula: str,
    types: Collection[str] | None,
    contacts_count: int,
    open_close: bool,
    options: Collection[str],
    terms: Terms,
    *,
    left_out_signed: bool = True,
) -> list[Finding]:
    """What the terms say against this sheet; empty when nothing.

    types: None when no selection is recorded, which means all (S6.3). open_close: opening hours
    are agreed. left_out_signed: the customer signed the tick for the vital types he leaves out.
    """
    known = terms.plans.get(plan)
    if known is None:
        return [
            Finding(
                "S5.1",
                "plan",
                f"no plan {plan!r}; expected {_one_of(terms.plans)}",
                True,
                "plan_unknown",
                {"found": plan, "expected": _one_of(terms.plans)},
            )
        ]
    return [
        *_formula(plan, known, formula, terms),
        *_types(known, types, left_out_signed),
        *_open_close(known, types, open_close, options),
        *_contacts(known, contacts_count),
        *_options(options),
    ]


def _one_of(names: Collection[str]) -> str:
    return ", ".join(sorted(names))


def _formula(name: str, plan: Plan, formula: str, terms: Terms) -> list[Finding]:
    if not plan.formula and formula:
        return [
            Finding(
                "S6.2",
                "formula",
                f"plan {name} takes no formula, found {formula!r}",
                True,
                "formula_not_taken",
                {"plan": plan.label, "found": formula},
            )
        ]
    if plan.formula and formula not in terms.formulas:
        expected = _one_of(terms.formulas)
        found = repr(formula) if formula else "none"
        return [
            Finding(
                "S6.2",
                "formula",
                f"formula {found}; plan {name} expects {expected}",
                True,
                "formula_unknown",
                {"plan": plan.label, "found": formula, "expected": expected},
            )
        ]
    return []


def _types(plan: Plan, types: Collection[str] | None, signed: bool) -> list[Finding]:
    if types is None:
        return []
    chosen = set(types)
    findings = []
    strange = sorted(chosen - set(ALL_TYPES))
    if strange:
        findings.append(
            Finding(
                "S6.3",
                "types",
                f"no alarm type {', '.join(strange)}; expected {_one_of(ALL_TYPES)}",
                True,
                "type_unknown",
                {"found": ", ".join(strange), "expected": _one_of(ALL_TYPES)},
            )
        )
    if plan.types_max is not None and len(chosen) > plan.types_max:
        findings.append(
            Finding(
                "S6.3",
                "types",
                f"{len(chosen)} alarm types, plan {plan.label} has up to {plan.types_max}",
                True,
                "types_too_many",
                {"found": len(chosen), "most": plan.types_max, "plan": plan.label},
            )
        )
    missing = [t for t in VITAL_TYPES if t not in chosen]
    if missing and not signed:
        findings.append(
            Finding(
                "S6.3",
                "types",
                f"{', '.join(missing)} left out without a signed tick",
                True,
                "vital_unsigned",
                {"missing": missing},
            )
        )
    return findings


def _open_close(
    plan: Plan, types: Collection[str] | None, open_close: bool, options: Collection[str]
) -> list[Finding]:
    wanted = open_close or OPEN_CLOSE in options or OPEN_CLOSE in (types or ())
    if not wanted or plan.open_close:
        return []
    return [
        Finding(
            "S11.1",
            "open_close",
            f"plan {plan.label} has no open/close",
            True,
            "open_close_not_taken",
            {"plan": plan.label},
        )
    ]


def _contacts(plan: Plan, count: int) -> list[Finding]:
    numbers = {"found": count, "expected": plan.contacts, "plan": plan.label}
    clause = "D904.5" if not plan.contacts_refused_above else "S17.1"
    if count == 0:
        reason = f"no contact; plan {plan.label} expects {plan.contacts}"
        return [Finding("S4.4", "contacts", reason, True, "contacts_none", numbers)]
    if count < plan.contacts:
        reason = f"{count} of the {plan.contacts} contacts of plan {plan.label}"
        return [Finding(clause, "contacts", reason, False, "contacts_few", numbers)]
    if count > plan.contacts:
        refused = plan.contacts_refused_above
        code = "contacts_many" if refused else "contacts_charged"
        bound = f"has up to {plan.contacts}" if refused else f"includes {plan.contacts}, more cost"
        reason = f"{count} contacts, plan {plan.label} {bound}"
        return [Finding(clause, "contacts", reason, refused, code, numbers)]
    return []


def _options(options: Collection[str]) -> list[Finding]:
    strange = sorted(set(options) - set(OPTIONS))
    if not strange:
        return []
    return [
        Finding(
            "S6.1",
            "options",
            f"no option {', '.join(strange)}; expected {_one_of(OPTIONS)}",
            True,
            "option_unknown",
            {"found": ", ".join(strange), "expected": _one_of(OPTIONS)},
        )
    ]
