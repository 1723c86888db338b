// Where the phone is: told to the centre only when its user said so, at most twice a minute, and at
// what happens in a job. The centre keeps the latest alone, and none off shift.
// @ts-check

import { ask } from './patrol_queue.js'

const KEY = 'meldkamer-patrol-place'
const EVERY_MS = 30_000
const LOOK = { enableHighAccuracy: true, maximumAge: 20_000, timeout: 20_000 }

let shared = false
let toldAt = 0
/** @type {GeolocationPosition | null} */
let last = null
/** @type {number | null} */
let watch = null

const button = () => /** @type {HTMLButtonElement} */ (document.getElementById('share'))

function show() {
  const text = button().querySelector('span')
  button().setAttribute('aria-pressed', String(shared))
  if (text) text.textContent = (shared ? text.dataset.on : text.dataset.off) ?? ''
}

/** Tell where the phone is now; nothing without consent. */
export async function tellPlace() {
  if (!shared || !last) return
  toldAt = Date.now()
  const form = new FormData()
  form.set('lat', String(last.coords.latitude))
  form.set('lon', String(last.coords.longitude))
  // a place is worth nothing later: what cannot be told now is not kept
  await ask('/patrol/here/', form).catch(() => null)
}

function begin() {
  if (watch !== null) return
  watch = navigator.geolocation.watchPosition((found) => {
    last = found
    if (Date.now() - toldAt >= EVERY_MS) void tellPlace()
  }, (fault) => {
    if (fault.code !== fault.PERMISSION_DENIED) return
    share(false)
    const text = button().querySelector('span')
    if (text) text.textContent = text.dataset.never ?? ''
  }, LOOK)
}

/** @param {boolean} wanted */
function share(wanted) {
  shared = wanted
  try { localStorage.setItem(KEY, wanted ? 'on' : 'off') } catch { /* asked again next time */ }
  if (wanted) begin()
  else if (watch !== null) {
    navigator.geolocation.clearWatch(watch)
    watch = null
    last = null
  }
  show()
}

export function startPlace() {
  if (!('geolocation' in navigator)) {
    button().hidden = true
    return
  }
  button().addEventListener('click', () => share(!shared))
  let before = 'off'
  try { before = localStorage.getItem(KEY) ?? 'off' } catch { /* not shared until said so */ }
  share(before === 'on')
  setInterval(() => { if (Date.now() - toldAt >= EVERY_MS) void tellPlace() }, EVERY_MS)
}
