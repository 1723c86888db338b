"""The addresses of the office, and of the sandbox (which answers only in the demo)."""

from django.urls import path

from meldkamer.office.views import (
    changes,
    hours,
    lists,
    procedures,
    sandbox,
    service,
    sites,
    watching,
)

app_name = "office"
SITE = "sites/<int:site_id>/"
urlpatterns = [
    path("", sites.home, name="home"),
    path("found/", sites.found, name="found"),
    path("sites/new/", changes.new_site, name="new_site"),
    path(SITE, sites.site, name="site"),
    path(f"{SITE}change/", changes.site, name="change_site"),
    path(f"{SITE}customer/", changes.customer, name="customer"),
    path(f"{SITE}installer/", changes.new_installer, name="new_installer"),
    path(f"{SITE}activate/", sites.activate, name="activate"),
    path(f"{SITE}zones/", sites.zones, name="zones"),
    path(f"{SITE}zones/new/", lists.zone, name="new_zone"),
    path(f"{SITE}zones/<int:zone_id>/", lists.zone, name="zone"),
    path(f"{SITE}zones/<int:zone_id>/remove/", lists.remove_zone, name="remove_zone"),
    path(f"{SITE}contacts/", sites.contacts, name="contacts"),
    path(f"{SITE}contacts/new/", lists.contact, name="new_contact"),
    path(f"{SITE}contacts/<int:contact_id>/", lists.contact, name="contact"),
    *(
        path(f"{SITE}contacts/<int:contact_id>/{act}/", lists.contact_act, {"act": act},
             name=f"contact_{act}")
        for act in ("code", "duress", "app", "no_app", "up", "down", "remove")
    ),
    path(f"{SITE}transmitters/", sites.transmitters, name="transmitters"),
    path(f"{SITE}transmitters/new/", changes.transmitter, name="new_transmitter"),
    path(f"{SITE}transmitters/<int:transmitter_id>/", changes.transmitter, name="transmitter"),
    path(f"{SITE}transmitters/<int:transmitter_id>/retire/", changes.retire, name="retire"),
    path(f"{SITE}hours/", hours.hours, name="hours"),
    path(f"{SITE}hours/change/", hours.change, name="change_hours"),
    path(f"{SITE}hours/dates/", hours.add_date, name="add_date"),
    path(f"{SITE}hours/dates/<int:hours_id>/remove/", hours.remove_date, name="remove_date"),
    path(f"{SITE}line/instructed/", watching.line_instructed, name="line_instructed"),
    path(f"{SITE}codes/<int:code_id>/instructed/", watching.code_instructed,
         name="code_instructed"),
    path(f"{SITE}service/", service.service, name="service"),
    path(f"{SITE}service/interrupt/", service.interrupt, name="interrupt"),
    path(f"{SITE}service/<int:interruption_id>/resume/", service.resume, name="resume"),
    path(f"{SITE}service/test/", service.written_test, name="written_test"),
    path(f"{SITE}service/test/<int:test_id>/end/", service.end_test, name="end_test"),
    path(f"{SITE}service/suspension/<slug:act>/", service.suspension, name="suspension"),
    path(f"{SITE}documents/<int:document_id>/", service.paper, name="paper"),
    path(f"{SITE}signals/", sites.signals, name="signals"),
    path(f"{SITE}wire/", sites.wire, name="wire"),
    path(f"{SITE}course/", sites.course, name="course"),
    path(f"{SITE}procedures/", procedures.of_site, name="site_procedures"),
    path(f"{SITE}procedures/new/", procedures.begin, name="new_site_procedure"),
    path("procedures/", procedures.of_provider, name="procedures"),
    path("procedures/new/", procedures.begin, name="new_procedure"),
    path("procedures/<int:version_id>/", procedures.version, name="procedure"),
    path("procedures/<int:version_id>/preview/", procedures.preview, name="procedure_preview"),
    path("procedures/<int:version_id>/release/", procedures.release, name="procedure_release"),
    path("procedures/<int:version_id>/withdraw/", procedures.withdraw, name="procedure_withdraw"),
    path("procedures/<int:version_id>/discard/", procedures.discard, name="procedure_discard"),
    path("sandbox/", sandbox.sandbox, name="sandbox"),
    path("sandbox/live/<slug:part>/", sandbox.live, name="sandbox_live"),
    path("sandbox/reply/", sandbox.reply, name="sandbox_reply"),
    path("sandbox/burglary/", sandbox.burglary, name="sandbox_burglary"),
]  # fmt: skip
