"""Pages on the phones of those outside the centre: the customer's app, the patrol's page.

`phone` and `views.app` are the app's (S8.3); `patrol_access`, `patrol_job` and `views.patrol` are
the patrol's (S6.1), whose page also works over a bad line (static/portal/patrol_queue.js).
"""
