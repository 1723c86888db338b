// One sound: class security, until someone takes it. Two short tones every four seconds, made here.
// @ts-check

import { mayTone, sounds, tone } from '../house/tone.js'

const EVERY_MS = 4_000
const KEY = 'meldkamer-sound'

let played = 0
/** @type {Set<string>} */
let known = new Set()

const wanted = () => {
  try {
    return localStorage.getItem(KEY) !== 'off'
  } catch {
    return true
  }
}

function check() {
  const loud = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('.job[data-loud]')])
  const now = new Set(loud.map((row) => row.dataset.incident ?? ''))
  for (const row of loud) {
    if (!known.has(row.dataset.incident ?? '')) notify(row)
  }
  known = now
  if (!loud.length || !wanted() || !sounds()) return
  if (Date.now() - played < EVERY_MS) return
  played = Date.now()
  document.body.dataset.sounded = String(Number(document.body.dataset.sounded ?? 0) + 1)
  tone(0, 880, 0.2, 0.18)
  tone(0.22, 660, 0.2, 0.18)
}

/** @param {HTMLElement} row */
function notify(row) {
  if (!('Notification' in window) || Notification.permission !== 'granted' || document.hasFocus()) return
  const title = document.getElementById('words')?.dataset.alarm ?? 'meldkamer'
  new Notification(title, { body: row.dataset.loud, tag: `incident-${row.dataset.incident}`, requireInteraction: true })
}

export function startSound() {
  mayTone()
  const button = document.getElementById('sound')
  const show = () => button?.setAttribute('aria-pressed', String(wanted()))
  button?.addEventListener('click', () => {
    try {
      localStorage.setItem(KEY, wanted() ? 'off' : 'on')
    } catch { /* a browser without storage sounds always */ }
    show()
  })
  document.getElementById('notify')?.addEventListener('click', () => void Notification.requestPermission())
  show()
  setInterval(check, 500)
}
