// One sound: class security, until someone takes it. Two short tones every four seconds, made here.
// @ts-check

const EVERY_MS = 4_000
const KEY = 'meldkamer-sound'

/** @type {AudioContext | null} */
let audio = null
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

/** @param {number} at @param {number} hertz */
function tone(at, hertz) {
  if (!audio) return
  const oscillator = audio.createOscillator()
  const volume = audio.createGain()
  oscillator.frequency.value = hertz
  volume.gain.setValueAtTime(0.0001, at)
  volume.gain.exponentialRampToValueAtTime(0.2, at + 0.02)
  volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.18)
  oscillator.connect(volume).connect(audio.destination)
  oscillator.start(at)
  oscillator.stop(at + 0.2)
}

function check() {
  const loud = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('.job[data-loud]')])
  const now = new Set(loud.map((row) => row.dataset.incident ?? ''))
  for (const row of loud) {
    if (!known.has(row.dataset.incident ?? '')) notify(row)
  }
  known = now
  if (!loud.length || !wanted() || !audio || audio.state !== 'running') return
  if (Date.now() - played < EVERY_MS) return
  played = Date.now()
  document.body.dataset.sounded = String(Number(document.body.dataset.sounded ?? 0) + 1)
  tone(audio.currentTime, 880)
  tone(audio.currentTime + 0.22, 660)
}

/** @param {HTMLElement} row */
function notify(row) {
  if (!('Notification' in window) || Notification.permission !== 'granted' || document.hasFocus()) return
  const title = document.getElementById('words')?.dataset.alarm ?? 'meldkamer'
  new Notification(title, { body: row.dataset.loud, tag: `incident-${row.dataset.incident}`, requireInteraction: true })
}

/** A browser lets a page sound only after somebody touched it. */
function unlock() {
  audio ??= new AudioContext()
  if (audio.state === 'suspended') void audio.resume()
}

export function startSound() {
  document.addEventListener('keydown', unlock)
  document.addEventListener('click', unlock)
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
