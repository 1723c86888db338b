// A new job sounds and vibrates until it is answered.
// @ts-check

import { sounds, tone } from '../house/tone.js'

const EVERY_MS = 4_000
let rungAt = 0

/** @param {boolean} wanted whether a job waits for an answer now */
export function ring(wanted) {
  if (!wanted || Date.now() - rungAt < EVERY_MS) return
  rungAt = Date.now()
  document.body.dataset.rung = String(Number(document.body.dataset.rung ?? 0) + 1)
  if ('vibrate' in navigator && navigator.userActivation?.hasBeenActive !== false) navigator.vibrate([400, 200, 400])
  if (!sounds()) return
  tone(0, 880, 0.4, 0.3)
  tone(0.35, 1_175, 0.4, 0.3)
}
