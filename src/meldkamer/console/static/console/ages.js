// Ages and countdowns tick here; the server gives moments and norms, never texts that grow old.
// @ts-check

let offsetMs = 0
let behind = false

/** The server's clock against ours. @param {number} serverMs */
export function setOffset(serverMs) {
  offsetMs = serverMs - Date.now()
}

/** Every age becomes a lower bound while the screen is behind. @param {boolean} now */
export function setBehind(now) {
  behind = now
  tick()
}

export const serverNow = () => Date.now() + offsetMs

/** m:ss under an hour, h:mm:ss above. @param {number} seconds */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds))
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0')
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

/** @param {Element} element @param {string} state */
function setState(element, state) {
  if (element.getAttribute('data-sla') === state) return
  element.setAttribute('data-sla', state)
  if (element.classList.contains('age')) {
    element.classList.remove('ok', 'warn', 'late')
    element.classList.add(state)
  }
  const sign = element.querySelector('svg.sla')
  if (!sign) return
  sign.setAttribute('class', `sla ${state}`)
  sign.querySelector('use')?.setAttribute('href', `#sla-${state}`)
  const words = document.getElementById('words')
  sign.setAttribute('aria-label', words?.getAttribute(`data-${state}`) ?? state)
}

/** Write every age, countdown and clock anew. */
export function tick() {
  const now = serverNow()
  for (const element of document.querySelectorAll('[data-since]')) {
    const age = (now - Number(element.getAttribute('data-since'))) / 1000
    const text = element.querySelector('time')
    if (text) text.textContent = (behind ? '≥ ' : '') + span(age)
    const aim = Number(element.getAttribute('data-aim'))
    if (aim) setState(element, age > Number(element.getAttribute('data-limit')) ? 'late' : age > aim ? 'warn' : 'ok')
  }
  for (const element of document.querySelectorAll('[data-until]')) {
    const text = element.querySelector('time')
    if (text) text.textContent = span((Number(element.getAttribute('data-until')) - now) / 1000)
  }
  clock(now)
}

/** @param {number} now */
function clock(now) {
  const timeZone = document.body.dataset.zone
  const moment = new Date(now)
  const language = document.documentElement.lang || 'en'
  const clocks = document.querySelector('[data-clock]')
  if (clocks) clocks.textContent = new Intl.DateTimeFormat('nl-BE', { timeZone, hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(moment)
  const day = document.querySelector('[data-day]')
  if (day) day.textContent = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, { timeZone, weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).format(moment)
}
