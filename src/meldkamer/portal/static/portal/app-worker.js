// The service worker of the customer's app: shows a message that was pushed, opens it when it is
// touched. It keeps nothing and fetches nothing: what a message says is in the push itself, and
// everything else is read from the centre, by the page. The same message again replaces itself.

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

const windows = () => self.clients.matchAll({ type: "window", includeUncontrolled: true });

self.addEventListener("push", (event) => {
  let said = {};
  try {
    said = event.data ? event.data.json() : {};
  } catch {
    said = { body: event.data.text() };
  }
  const shown = self.registration.showNotification(said.title || said.body || "meldkamer", {
    body: said.title ? said.body : "",
    lang: said.lang,
    tag: `m${said.id ?? ""}`,
    renotify: true,
    requireInteraction: true,
    icon: "/static/portal/icon-192.png",
    data: { id: said.id },
  });
  const told = windows().then((open) => open.forEach((page) => page.postMessage({ told: said.id })));
  event.waitUntil(Promise.all([shown, told]));
});

self.addEventListener("notificationclick", (event) => {
  const id = event.notification.data?.id;
  event.notification.close();
  event.waitUntil(open(id));
});

async function open(id) {
  const [page] = await windows();
  if (!page) return self.clients.openWindow(`/app/#m${id ?? ""}`);
  page.postMessage({ open: id });
  // some browsers let it come to the front only right after the touch
  return page.focus().catch(() => undefined);
}
