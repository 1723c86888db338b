"""The addresses of the desk."""

from django.urls import path

from meldkamer.console.views import (
    acts,
    callers,
    desk,
    explain,
    house,
    lists,
    outages,
    patrols,
    sheets,
    stream,
    tasks,
    tests,
)

app_name = "console"
urlpatterns = [
    path("", desk.home, name="home"),
    path("queue/", desk.queue, name="queue"),
    path("incident/<int:incident_id>/", desk.incident, name="incident"),
    path("site/<int:site_id>/", desk.site, name="site"),
    path("find/", desk.find, name="find"),
    path("clause/<str:clause_id>/", explain.clause, name="clause"),
    path("incident/<int:incident_id>/why/<str:clause_id>/", explain.why, name="why"),
    path("choose/", desk.choose, name="choose"),
    path("alive/", desk.alive, name="alive"),
    path("stream/", stream.stream, name="stream"),
    path("take-next/", acts.take_next, name="take_next"),
    path("incident/<int:incident_id>/<slug:act>/", acts.act, name="act"),
    path("caller/", callers.caller, name="caller"),
    path("caller/<int:site_id>/", callers.caller_site, name="caller_site"),
    path("caller/<int:site_id>/says/", callers.says, name="caller_says"),
    path("caller/<int:site_id>/open/", callers.open_by_hand, name="open_by_hand"),
    path("calls/<int:call_id>/take/", callers.take_call, name="take_call"),
    path("incident/<int:incident_id>/sheet/<slug:service>/", sheets.printed, name="sheet"),
    path("house/", house.findings, name="house"),
    path("lists/outages/", outages.listing, name="outages"),
    path("outages/<int:outage_id>/undo/", outages.undo, name="undo_outage"),
    path("lists/patrols/", patrols.listing, name="patrols"),
    path("patrols/<int:unit_id>/<slug:word>/", patrols.report, name="patrol_report"),
    path("incident/<int:incident_id>/patrol/<int:unit_id>/withdraw/", patrols.withdraw,
         name="patrol_withdraw"),
    path("patrol-photo/<int:photo_id>/", patrols.photo, name="patrol_photo"),
    path("patrol-photo/<int:photo_id>/original/", patrols.original, name="patrol_original"),
    path("tasks/<int:task_id>/", tasks.task, name="task"),
    path("tasks/<int:task_id>/<slug:act>/", tasks.act, name="task_act"),
    path("tests/<int:test_id>/", tests.test, name="test"),
    path("lists/<slug:name>/", lists.listing, name="list"),
    path("notices/<int:notice_id>/seen/", lists.seen, name="notice_seen"),
]  # fmt: skip
