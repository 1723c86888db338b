"""What no procedure may say, whoever asks for it: the law and what it rests on (S14.1, B1).

Why: a sheet may change a procedure for good or for a period, never against the law. One answer for
terms files, for versions of the office and for stories, each refusal with its clause, what was
found and what is expected. Never: look at anything but the procedure and the terms. Invariant: a
procedure without a breach, worked by the rules, asks for police only after verification (B1).
Trial (S4.3), consultation and verification (S15.3) are kept by the rules at each request as well;
no word of a procedure can switch them off.
"""

from __future__ import annotations

from collections.abc import Callable

from meldkamer.terms.findings import Finding
from meldkamer.terms.model import Procedure, Step, Terms

_SERVICE_OF = {"fire": "fire", "medical": "medical"}
_SERVICES = {"intrusion": "police", "sabotage": "police", "holdup": "police", **_SERVICE_OF}
_NAMES = {"fire": "the fire brigade", "medical": "the medical service", "police": "the police"}
_TOLD_IS_ENOUGH = ("battery", "power", "line_test", "external_technical", "open_close", "undefined")
#: whom a hold-up's first call may go to: its unanswered call is the verification (S15.4)
_CALLED_FOR_HOLDUP = ("premises", "premises_or_first", "contacts", "contact")


def breaches(procedure: Procedure, terms: Terms, base: Procedure | None = None) -> list[Finding]:
    """What is against the law in a procedure; empty when nothing.

    base: the terms file's own procedure, whose times for fire and medical may not be lengthened;
    None for the terms file itself.
    """
    found: list[Finding] = []
    for kind in procedure.types:
        for rule in _RULES.get(kind, ()):
            found += rule(procedure, terms, base, kind)
        found += _services(procedure, kind)
        found += _identification(procedure, terms, kind)
        found += _told_is_not_enough(procedure, kind)
    first: dict[tuple[str, str, str], Finding] = {}
    for finding in found:
        first.setdefault((finding.clause, finding.item, finding.code), finding)
    return list(first.values())


def _no(clause: str, step: str, code: str, reason: str, **numbers: object) -> Finding:
    return Finding(clause, step, reason, True, code, numbers)


def _asked_for(procedure: Procedure, service: str) -> list[Step]:
    return [step for step in procedure.steps if step.do == "request" and step.service == service]


def _called_before(procedure: Procedure, request: Step) -> list[Step]:
    place = procedure.steps.index(request)
    return [step for step in procedure.steps[:place] if step.do == "call"]


def _verified_first(
    procedure: Procedure, _terms: Terms, _base: Procedure | None, kind: str
) -> list[Finding]:
    """Police for a burglary: verified, and somebody consulted (S15.3, S15.2)."""
    found = []
    for step in _asked_for(procedure, "police"):
        if step.when != "verified_and_consulted":
            reason = (
                f"police for {kind} when {step.when or 'nothing is said'}; expected "
                "when = 'verified_and_consulted'"
            )
            found.append(_no("S15.3", step.id, "law_police_unverified", reason, type=kind))
        if not _called_before(procedure, step):
            reason = f"police for {kind} and nobody is called before; expected a call first"
            found.append(_no("S15.2", step.id, "law_police_unconsulted", reason, type=kind))
    return found


def _verified_by_a_call(
    procedure: Procedure, _terms: Terms, _base: Procedure | None, kind: str
) -> list[Finding]:
    """Hold-up: a call, then police without any further condition (S15.4, B1)."""
    requests = _asked_for(procedure, "police")
    if not requests:
        reason = "nobody asks for police at a hold-up; expected a request of police after the call"
        return [_no("S15.4", "", "law_holdup_without_police", reason)]
    found = []
    step = requests[0]
    called = [s for s in _called_before(procedure, step) if s.who in _CALLED_FOR_HOLDUP]
    if not called:
        reason = (
            "police at a hold-up without a call before: that call is the verification (B1); "
            "expected a call to premises_or_first before it"
        )
        found.append(_no("S15.4", step.id, "law_holdup_uncalled", reason))
    if step.when != "unsatisfied":
        reason = (
            f"police at a hold-up when {step.when or 'nothing is said'}; expected "
            "when = 'unsatisfied': an unanswered call is enough"
        )
        found.append(_no("S15.4", step.id, "law_holdup_when", reason))
    return found


def _service_in_any_case(
    procedure: Procedure, _terms: Terms, base: Procedure | None, kind: str
) -> list[Finding]:
    """Fire and medical: the service is asked for in any case, and soon (S15.5)."""
    service, name = _SERVICE_OF[kind], _NAMES[_SERVICE_OF[kind]]
    requests = _asked_for(procedure, service)
    if not requests:
        reason = f"nobody asks for {name}; expected a request of {service}"
        return [_no("S15.5", "", "law_service_removed", reason, service=service)]
    found = []
    step = requests[0]
    if step.when != "consulted_or_exhausted":
        reason = (
            f"{name} when {step.when or 'nothing is said'}; expected when = "
            "'consulted_or_exhausted': also when nobody on the list answers"
        )
        found.append(_no("S15.5", step.id, "law_service_when", reason, service=service))
    if not _called_before(procedure, step):
        reason = f"{name} and nobody is called before; expected a call first: it is verified (B1)"
        found.append(_no("B1", step.id, "law_service_uncalled", reason, service=service))
    most_s = _after_s(base, service)
    if step.after_s <= 0 or (most_s and step.after_s > most_s):
        expected = f"1 to {most_s}" if most_s else "more than 0"
        reason = f"{name} after {step.after_s} s at the latest; expected {expected} s"
        found.append(
            _no("S15.5", step.id, "law_service_late", reason, found=step.after_s, most=most_s,
                service=service)
        )  # fmt: skip
    return found


def _after_s(base: Procedure | None, service: str) -> int:
    """The terms file's own time; 0 when it says none."""
    requests = _asked_for(base, service) if base else []
    return requests[0].after_s if requests else 0


def _services(procedure: Procedure, kind: str) -> list[Finding]:
    """Each service for what can be verified for it, and for nothing else (B1)."""
    own = _SERVICES.get(kind, "")
    expected = f"only {own}" if own else "no request of a service"
    return [
        _no("B1", step.id, "law_wrong_service",
            f"{_NAMES[step.service]} for {kind}; expected {expected}",
            type=kind, service=str(step.service))
        for step in procedure.steps
        if step.do == "request" and step.service and step.service != own
    ]  # fmt: skip


def _identification(procedure: Procedure, terms: Terms, kind: str) -> list[Finding]:
    """Name and code at every contact, except where S19.2 does not ask for them (S19.1)."""
    if kind in terms.identification.exempt_types:
        return []
    return [
        _no("S19.1", step.id, "law_unidentified",
            f"a call for {kind} without name and code; expected identify left out or 'always'",
            type=kind)
        for step in procedure.steps
        if step.do == "call" and step.identify == "never"
    ]  # fmt: skip


def _told_is_not_enough(procedure: Procedure, kind: str) -> list[Finding]:
    """Nobody reached is no answer where somebody may be in danger (M3.2)."""
    if procedure.exhausted != "notified" or kind in _TOLD_IS_ENOUGH:
        return []
    reason = f"an exhausted list closes {kind} as notified; expected exhausted = 'nobody_reached'"
    return [_no("M3.2", "", "law_told_is_not_enough", reason, type=kind)]


_Rule = Callable[[Procedure, Terms, Procedure | None, str], list[Finding]]
_RULES: dict[str, tuple[_Rule, ...]] = {
    "intrusion": (_verified_first,),
    "sabotage": (_verified_first,),
    "holdup": (_verified_by_a_call,),
    "fire": (_service_in_any_case,),
    "medical": (_service_in_any_case,),
}
