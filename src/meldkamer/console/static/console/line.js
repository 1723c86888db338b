// The live line: server-sent events, and the truth about how old the screen is.
// Five seconds without a beat: the banner says how far behind, ages become lower bounds. Back:
// everything is fetched anew, and what came meanwhile is told. Nothing is lost over a gap.
// @ts-check

import { setBehind, setOffset } from './ages.js'

const STALE_MS = 5_000
const RETRY_S = [0.5, 1, 2, 4, 4]
/** Many changes at once are one fetch. */
const GATHER_MS = 25
const LEAST_MS = 120
/** What could not be fetched is fetched again after this. */
const AGAIN_MS = 1_000
const RECENT_MS = 60_000

/** @typedef {{ refreshQueue: () => Promise<void> | undefined, refreshIncident: () => Promise<void> | undefined, openId: () => string, setOffset: (ms: number) => void }} Desk */

/** @typedef {{ at: number, id: string, incident: number | null, site: number | null }} Change */

/** @param {Desk} desk @returns {{ caughtUp: (sentMs: number) => void }} */
export function startLine(desk) {
  const words = /** @type {HTMLElement} */ (document.getElementById('words'))
  const url = /** @type {string} */ (document.body.dataset.stream)
  /** @type {EventSource | null} */
  let source = null
  let lastId = ''
  /** What came of late, with the moment it came. @type {Change[]} */
  let recent = []
  let lastBeat = Date.now()
  let dialled = 0
  let tries = 0
  let nextTry = 0
  let stale = false
  let queueDue = 0
  let queueLast = 0
  let incidentDue = false
  let fetching = false

  function connect() {
    source?.close()
    dialled = Date.now()
    source = new EventSource(lastId ? `${url}?last=${lastId}` : url)
    nextTry = 0
    source.addEventListener('hello', (event) => hello(JSON.parse(event.data), event.lastEventId))
    source.addEventListener('change', (event) => change(JSON.parse(event.data), event.lastEventId))
    source.addEventListener('beat', (event) => beat(JSON.parse(event.data)))
    source.onerror = retry
  }

  function retry() {
    source?.close()
    source = null
    if (nextTry) return
    const wait = RETRY_S[Math.min(tries, RETRY_S.length - 1)]
    tries += 1
    nextTry = Date.now() + wait * 1000
    setTimeout(connect, wait * 1000)
  }

  /** @param {{ now: number }} message */
  function beat(message) {
    lastBeat = Date.now()
    setOffset(message.now)
    if (!stale) return
    // the line was only slow: nothing was lost on it, but what it shows is old
    remove('banner-stale')
    plan(true)
    fresh()
  }

  /** @param {{ now: number, entries: { id: number, incident: number, what: string }[] }} message @param {string} id */
  function hello(message, id) {
    const gap = stale
    stale = false
    beat(message)
    tries = 0
    if (id) lastId = id
    plan(true)
    if (gap) back(message.entries)
    else remove('banner-stale')
    fresh()
  }

  /** @param {{ incident: number | null, site: number | null, now: number }} message @param {string} id */
  function change(message, id) {
    beat(message)
    if (id) lastId = id
    const come = { at: lastBeat, id, incident: message.incident, site: message.site }
    recent = recent.filter((one) => one.at > lastBeat - RECENT_MS)
    recent.push(come)
    consider(come)
  }

  /** @param {Change} come */
  function consider({ id, incident, site }) {
    const open = desk.openId()
    const at = document.getElementById('incident')?.dataset
    // what this page did itself it shows already
    if (id && Number(id) <= Number(at?.entry ?? 0)) return plan(false)
    plan(Boolean(open) && (String(incident) === open || (incident === null && String(site) === at?.site)))
  }

  /** @param {boolean} incident */
  function plan(incident) {
    incidentDue ||= incident
    if (queueDue) return
    queueDue = Math.max(Date.now() + GATHER_MS, queueLast + LEAST_MS)
    setTimeout(run, queueDue - Date.now())
  }

  async function run() {
    queueDue = 0
    if (fetching) return void setTimeout(() => plan(false), GATHER_MS)
    fetching = true
    queueLast = Date.now()
    const wanted = incidentDue
    incidentDue = false
    try {
      await Promise.all([desk.refreshQueue(), wanted ? desk.refreshIncident() : undefined])
    } catch {
      // the centre did not answer: the line says so when it lasts; meanwhile again
      setTimeout(() => plan(wanted), AGAIN_MS)
    } finally {
      fetching = false
    }
  }

  /** The operator's own request is answered. What came on the line since it was sent may have been
   * too late for the answer: it is looked at again. @param {number} sentMs */
  function caughtUp(sentMs) {
    for (const one of recent) if (one.at >= sentMs) consider(one)
  }

  function fresh() {
    stale = false
    document.body.dataset.live = '1'
    setBehind(false)
    line('link', words.dataset.live ?? '', false)
  }

  /** @param {string} icon @param {string} text @param {boolean} mind */
  function line(icon, text, mind) {
    const at = document.getElementById('line')
    at?.classList.toggle('mind', mind)
    at?.querySelector('use')?.setAttribute('href', `#${icon}`)
    const said = at?.querySelector('[data-line-words]')
    if (said && said.textContent !== text) said.textContent = text
  }

  /** @param {{ id: number, incident: number, what: string }[]} entries */
  function back(entries) {
    remove('banner-stale')
    const mine = entries.some((one) => String(one.incident) === desk.openId())
    const parts = [entries.length ? (words.dataset.came ?? '').replace('{n}', String(entries.length)) : '', mine ? words.dataset.yours ?? '' : '']
    banner('banner-back', 'success', 'link', words.dataset.back ?? '', parts.join(' '), 'status')
  }

  /** @param {string} id @param {string} kind @param {string} icon @param {string} head @param {string} text @param {string} role */
  function banner(id, kind, icon, head, text, role) {
    let at = document.getElementById(id)
    if (!at) {
      at = document.createElement('div')
      at.id = id
      at.className = `banner ${kind} line-banner`
      at.setAttribute('role', role)
      at.innerHTML = `<svg class="icon" aria-hidden="true"><use href="#${icon}"/></svg><p><b></b> <span></span></p>`
      document.querySelector('.topbar')?.after(at)
    }
    const [bold, rest] = [at.querySelector('b'), at.querySelector('span')]
    if (bold && bold.textContent !== head) bold.textContent = head
    if (rest) rest.textContent = text
  }

  /** @param {string} id */
  function remove(id) {
    document.getElementById(id)?.remove()
  }

  function watch() {
    const age = Date.now() - lastBeat
    if (age < STALE_MS) return
    if (!stale) {
      stale = true
      delete document.body.dataset.live
      remove('banner-back')
      setBehind(true)
      line('unlink', words.dataset.gone ?? '', true)
    }
    // a call that was just placed is given its time
    if (source && Math.min(age, Date.now() - dialled) > STALE_MS * 2) retry()
    const seconds = Math.round(age / 1000)
    const time = new Intl.DateTimeFormat('nl-BE', { timeZone: document.body.dataset.zone, hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(lastBeat)
    const left = Math.max(0, Math.ceil((nextTry - Date.now()) / 1000))
    banner(
      'banner-stale', 'attention', 'unlink',
      (words.dataset.behind ?? '').replace('{s}', String(seconds)),
      (words.dataset.last ?? '').replace('{time}', time).replace('{n}', String(tries)).replace('{in}', String(left)),
      'alert',
    )
  }

  // "back" stays until the operator does something
  document.addEventListener('keydown', () => remove('banner-back'))
  setInterval(watch, 500)
  connect()
  return { caughtUp }
}
