// Tones that a page makes itself, so that none has to be fetched. A browser lets a page sound only
// after somebody touched it.
// @ts-check

/** @type {AudioContext | null} */
let audio = null

function unlock() {
  audio ??= new AudioContext()
  if (audio.state === 'suspended') void audio.resume()
}

/** From the first touch or key on the page may sound. */
export function mayTone() {
  document.addEventListener('keydown', unlock)
  document.addEventListener('click', unlock)
}

export const sounds = () => audio?.state === 'running'

/** @param {number} inS @param {number} hertz @param {number} loud 0 to 1 @param {number} lastsS */
export function tone(inS, hertz, loud, lastsS) {
  if (!audio) return
  const at = audio.currentTime + inS
  const oscillator = audio.createOscillator()
  const volume = audio.createGain()
  oscillator.frequency.value = hertz
  volume.gain.setValueAtTime(0.0001, at)
  volume.gain.exponentialRampToValueAtTime(loud, at + 0.02)
  volume.gain.exponentialRampToValueAtTime(0.0001, at + lastsS)
  oscillator.connect(volume).connect(audio.destination)
  oscillator.start(at)
  oscillator.stop(at + lastsS + 0.02)
}
