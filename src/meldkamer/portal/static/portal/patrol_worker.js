// Keeps the patrol's page for a bad line: the network first, what was kept when there is none.
// Never keeps codes or photos, and never answers for what is sent: that waits in the page's queue.
// @ts-check
/// <reference lib="webworker" />

const KEPT = 'meldkamer-patrol-1'
const PAGE = '/patrol/'
/** so long the network may think before the kept page is shown */
const PATIENCE_MS = 4_000
const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self))

worker.addEventListener('install', () => { void worker.skipWaiting() })
worker.addEventListener('activate', (event) => { event.waitUntil(worker.clients.claim()) })

worker.addEventListener('fetch', (event) => {
  const { request } = event
  const where = new URL(request.url)
  if (request.method !== 'GET' || where.origin !== location.origin) return
  if (where.pathname === PAGE || where.pathname.startsWith('/static/')) event.respondWith(answer(request, where))
})

/** @param {Request} request @param {URL} where */
async function answer(request, where) {
  const kept = await caches.open(KEPT)
  const key = where.origin + where.pathname
  try {
    const fresh = await inTime(fetch(request))
    // a redirect is the door: what is kept of the job goes with the session
    if (where.pathname === PAGE && (fresh.redirected || fresh.type === 'opaqueredirect')) await caches.delete(KEPT)
    else if (fresh.ok && fresh.type === 'basic') await kept.put(key, fresh.clone())
    return fresh
  } catch (fault) {
    const found = await kept.match(key)
    if (found) return found
    throw fault
  }
}

/** @param {Promise<Response>} asked @returns {Promise<Response>} */
function inTime(asked) {
  return Promise.race([
    asked,
    new Promise((_, no) => { setTimeout(() => no(new TypeError('the network is too slow')), PATIENCE_MS) }),
  ])
}
