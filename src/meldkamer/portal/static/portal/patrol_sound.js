// A new job sounds and vibrates until it is answered. Tones are made here; a phone lets a page sound
// only after somebody touched it.
// @ts-check

const EVERY_MS = 4_000
/** @type {AudioContext | null} */
let audio = null
let rungAt = 0

/** @param {number} at @param {number} hertz */
function tone(at, hertz) {
  if (!audio) return
  const oscillator = audio.createOscillator()
  const volume = audio.createGain()
  oscillator.frequency.value = hertz
  volume.gain.setValueAtTime(0.0001, at)
  volume.gain.exponentialRampToValueAtTime(0.4, at + 0.02)
  volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.3)
  oscillator.connect(volume).connect(audio.destination)
  oscillator.start(at)
  oscillator.stop(at + 0.32)
}

/** @param {boolean} wanted whether a job waits for an answer now */
export function ring(wanted) {
  if (!wanted || Date.now() - rungAt < EVERY_MS) return
  rungAt = Date.now()
  document.body.dataset.rung = String(Number(document.body.dataset.rung ?? 0) + 1)
  if ('vibrate' in navigator && navigator.userActivation?.hasBeenActive !== false) navigator.vibrate([400, 200, 400])
  if (audio?.state !== 'running') return
  tone(audio.currentTime, 880)
  tone(audio.currentTime + 0.35, 1_175)
}

function unlock() {
  audio ??= new AudioContext()
  if (audio.state === 'suspended') void audio.resume()
}

export function startSound() {
  document.addEventListener('click', unlock)
  document.addEventListener('keydown', unlock)
}
