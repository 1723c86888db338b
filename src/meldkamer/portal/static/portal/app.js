// The customer's app: asks whether messages may come by themselves, and shows which one came.
// The page works without it: messages are read and said to be seen by plain forms.
// @ts-check

const panel = document.getElementById("push");
const htmx = /** @type {any} */ (window).htmx;

/** One of on, off, refused, none, failed is shown. @param {string} which @param {string} [why] */
function show(which, why = "") {
  if (!panel) return;
  for (const row of panel.querySelectorAll("[data-push]")) {
    if (row instanceof HTMLElement) row.hidden = row.dataset.push !== which;
  }
  const said = panel.querySelector("[data-push-why]");
  if (said) said.textContent = why;
  const allow = document.getElementById("allow");
  const quiet = document.getElementById("quiet");
  if (allow) allow.hidden = which !== "off" && which !== "failed";
  if (quiet) quiet.hidden = which !== "on";
}

/** @param {string} text */
function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

/** @param {ArrayBuffer | null} key */
function written(key) {
  const plain = String.fromCharCode(...new Uint8Array(key ?? new ArrayBuffer(0)));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** Tell the centre where this browser is pushed to. @param {PushSubscription} subscription */
async function tell(subscription) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]");
  const form = new URLSearchParams({
    endpoint: subscription.endpoint,
    p256dh: written(subscription.getKey("p256dh")),
    auth: written(subscription.getKey("auth")),
  });
  const answer = await fetch(panel?.dataset.subscribe ?? "", {
    method: "POST",
    body: form,
    headers: { "X-CSRFToken": token instanceof HTMLInputElement ? token.value : "" },
  });
  if (!answer.ok) throw new Refused(await answer.text());
}

class Refused extends Error {}

/** @param {ServiceWorkerRegistration} worker */
async function subscribed(worker) {
  const known = await worker.pushManager.getSubscription();
  return known ?? worker.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: bytes(panel?.dataset.key ?? ""),
  });
}

/** Keep what was allowed before: a browser may have given us another address since. */
async function renew() {
  if (!panel || !("serviceWorker" in navigator) || !("PushManager" in window)) {
    show("none");
    return;
  }
  const worker = await navigator.serviceWorker.register(panel.dataset.worker ?? "", { scope: "/app/" });
  await navigator.serviceWorker.ready;
  document.body.dataset.worker = "ready";
  if (Notification.permission === "denied") show("refused");
  else if (Notification.permission === "granted" && "subscribed" in panel.dataset) {
    await attempt(worker);
  } else show("off");
  document.getElementById("allow")?.addEventListener("click", async () => {
    const permission = await Notification.requestPermission();
    if (permission === "granted") await attempt(worker);
    else show(permission === "denied" ? "refused" : "off");
  });
}

/** @param {ServiceWorkerRegistration} worker */
async function attempt(worker) {
  const words = document.getElementById("words")?.dataset ?? {};
  try {
    await tell(await subscribed(worker));
    show("on");
  } catch (fault) {
    show("failed", fault instanceof Refused ? `${words.refused} ${fault.message}` : words.failed);
  }
}

/** Show the message that a notification was about. @param {string} id */
function turnTo(id) {
  const message = document.getElementById(`m${id}`);
  if (message) {
    history.replaceState(null, "", `#m${id}`);
    message.scrollIntoView({ block: "start" });
    message.focus({ preventScroll: true });
  }
}

if ("serviceWorker" in navigator) {
  navigator.serviceWorker.addEventListener("message", (event) => {
    const { told, open } = event.data ?? {};
    if (told && htmx) htmx.trigger(document.body, "told");
    if (open) {
      const wanted = String(open);
      if (document.getElementById(`m${wanted}`)) turnTo(wanted);
      else {
        document.body.addEventListener("htmx:afterSettle", () => turnTo(wanted), { once: true });
        if (htmx) htmx.trigger(document.body, "told");
      }
    }
  });
}
const named = location.hash.match(/^#m(\d+)$/);
if (named) turnTo(named[1]);
renew();
