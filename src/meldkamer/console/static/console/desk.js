// The desk in the browser: keys, ages, the live line, sound. No framework but htmx.
// It decides nothing: a key presses the button that the server drew, an event fetches what the
// server shows. Invariant: the screen is never older than it looks (see `stale`).
// @ts-check

import { dispatchKey, say } from './keys.js'
import { startLine } from './line.js'
import { startSound } from './sound.js'
import { setOffset, tick } from './ages.js'

const htmx = /** @type {any} */ (window).htmx
const body = document.body
const LONG_PRESS_MS = 2_000
const PATIENCE_MS = 10_000

/** What a person typed and has not sent yet, by incident and field. @type {Map<string, string>} */
const drafts = new Map()
/** The operator's own requests that are under way and will draw the middle. @type {Set<XMLHttpRequest>} */
const own = new Set()
/** One of them changes something. */
let acting = false
let lastActive = Date.now()
/** @type {{ id: string, start: number | null, end: number | null } | null} */
let focused = null
let listTop = 0

const main = () => /** @type {HTMLElement} */ (document.getElementById('incident'))
const openId = () => main()?.dataset.incident || ''

/** Counts what the operator's own requests drew: what was fetched before is not shown after it. */
let acts = 0

/** What stands in a place as it was fetched: the same again is not drawn again. @type {Map<string, string>} */
const shown = new Map()

/** Until a button of the mouse is let go: a click must not miss because its target is drawn anew.
 * @type {Promise<void>} */
let released = Promise.resolve()
let release = () => {}
document.addEventListener('pointerdown', () => {
  released = new Promise((free) => {
    release = free
    setTimeout(free, LONG_PRESS_MS)
  })
}, true)
for (const name of ['pointerup', 'pointercancel']) {
  // the click comes after pointerup, in the same turn
  document.addEventListener(name, () => setTimeout(release, 0), true)
}

/** Fetch a part of the page and put it in its place, again when something was done meanwhile.
 * Throws when the centre does not answer as it should: the caller tries again.
 * @param {() => string} where @param {string} target @returns {Promise<void>} */
async function load(where, target) {
  const before = acts
  const address = where()
  if (!address) return
  const answer = await fetch(address, { headers: { 'HX-Request': 'true' }, signal: AbortSignal.timeout(PATIENCE_MS) })
  const elsewhere = answer.headers.get('HX-Redirect')
  if (elsewhere) location.href = elsewhere
  if (answer.status >= 500) throw new Error(`${address}: ${answer.status}`)
  if (!answer.ok || answer.status === 204) return
  const text = await answer.text()
  await released
  const at = document.querySelector(target)
  if (before !== acts) return load(where, target)
  if (!at || where() !== address || shown.get(target) === text) return
  // taken up at the last moment: the refusal may have come while this was being fetched
  const refusal = document.getElementById('refusal')
  beforeChange()
  // out of the way of the swap, which would unwire its clause: a click would leave the desk
  if (target === '#middle') refusal?.remove()
  htmx.swap(at, text, { swapStyle: 'innerHTML', swapDelay: 0, settleDelay: 0 })
  shown.set(target, text)
  if (refusal && !document.getElementById('refusal')) main()?.querySelector('.news')?.prepend(refusal)
  afterChange()
}

/** Fetch the left column. */
function refreshQueue() {
  return load(() => `${body.dataset.queue}?open=${openId()}`, '#queue-list')
}

/** Where the open incident is fetched; "" while it is being asked for or asks something itself. */
function incidentAddress() {
  const at = main()
  if (!at?.dataset.address || own.size || at.querySelector('form.ask, form.close-form')) return ''
  const wanted = at.querySelector('[data-wanted]')?.getAttribute('data-wanted')
  return at.dataset.address + (wanted ? `?work=${encodeURIComponent(wanted)}` : '')
}

/** Fetch the open incident; a refusal stays until the operator does something else. */
function refreshIncident() {
  return load(incidentAddress, '#middle')
}

// --- what must survive a refresh: drafts, focus, scrolling

/** @param {Element} field */
const draftKey = (field) => `${openId()}:${field.id}`

document.addEventListener('input', (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target)
  lastActive = Date.now()
  if (field.dataset?.keep !== undefined) drafts.set(draftKey(field), field.value)
})

document.addEventListener('htmx:configRequest', (event) => {
  const { elt, verb } = /** @type {any} */ (event).detail
  if (verb !== 'post') return
  lastActive = Date.now()
  for (const field of elt.querySelectorAll?.('[data-keep]') ?? []) drafts.delete(draftKey(field))
})

document.addEventListener('htmx:beforeRequest', (event) => {
  const { target, requestConfig, xhr } = /** @type {any} */ (event).detail
  const post = requestConfig.verb === 'post'
  if (post && acting) {
    event.preventDefault()
    return say('busy', {})
  }
  if (!post && target?.id !== 'middle') return
  // of two wishes to look at something the last one counts
  if (!post && !acting) for (const one of own) one.abort()
  begin(xhr, post)
})

/** @param {XMLHttpRequest} xhr @param {boolean} post */
function begin(xhr, post) {
  const sent = Date.now()
  acts += 1
  acting ||= post
  own.add(xhr)
  body.dataset.busy = '1'
  // not htmx:afterRequest, which is told to an element that may be gone by then
  xhr.addEventListener('loadend', () => {
    acts += 1
    own.delete(xhr)
    if (post) acting = false
    if (!own.size) delete body.dataset.busy
    line.caughtUp(sent)
  })
}
for (const name of ['htmx:sendError', 'htmx:responseError', 'htmx:timeout']) {
  document.addEventListener(name, (event) => {
    const code = /** @type {any} */ (event).detail.xhr?.status || '–'
    say('failed', { code })
  })
}

document.addEventListener('htmx:beforeSwap', () => {
  acts += 1
  shown.clear()
  beforeChange()
})
document.addEventListener('htmx:afterSwap', afterChange)

function beforeChange() {
  const active = /** @type {any} */ (document.activeElement)
  focused = active?.id ? { id: active.id, start: active.selectionStart ?? null, end: active.selectionEnd ?? null } : null
  const list = document.getElementById('queue-list')
  const row = list?.querySelector('.job:focus, .job[aria-current]')
  listTop = row && list ? row.getBoundingClientRect().top : 0
}

function afterChange() {
  select()
  for (const [name, value] of drafts) {
    const [incident, id] = name.split(':')
    const field = /** @type {HTMLInputElement | null} */ (document.getElementById(id))
    if (incident === openId() && field && field.dataset.keep !== undefined) field.value = value
  }
  const first = /** @type {HTMLElement | null} */ (document.querySelector('#incident [autofocus]'))
  if (first && !first.contains(document.activeElement) && first.id !== focused?.id) {
    first.focus()
  } else if (focused && document.activeElement?.id !== focused.id) {
    const again = /** @type {any} */ (document.getElementById(focused.id))
    again?.focus({ preventScroll: true })
    try {
      if (focused.start !== null) again?.setSelectionRange?.(focused.start, focused.end)
    } catch { /* a select or a number field has no caret to put back */ }
  }
  keepInView()
  tick()
}

/** The current step and the selected row stay where they can be seen. */
function keepInView() {
  document.querySelector('.step.current')?.scrollIntoView({ block: 'nearest' })
  const list = document.getElementById('queue-list')
  const row = list?.querySelector('.job:focus, .job[aria-current]')
  if (!row || !list) return
  if (listTop) list.scrollTop += row.getBoundingClientRect().top - listTop
  row.scrollIntoView({ block: 'nearest' })
  listTop = 0
}

/** The selected row follows what is open. */
function select() {
  const open = openId()
  for (const row of document.querySelectorAll('.job')) {
    if (row.getAttribute('data-incident') === open) row.setAttribute('aria-current', 'true')
    else row.removeAttribute('aria-current')
  }
  const next = document.getElementById('take-next')
  if (next) next.setAttribute('hx-vals', JSON.stringify({ open }))
}

// --- calls: a telephone link is dialled by the workplace's own telephone

document.addEventListener('click', (event) => {
  lastActive = Date.now()
  const target = /** @type {Element} */ (event.target)
  const dial = target.closest?.('[data-dial]')?.getAttribute('data-dial')
  const scheme = body.dataset.dials
  if (dial && (scheme === 'tel' || scheme === 'sip')) location.href = `${scheme}:${dial.replace(/\s/g, '')}`
  const opens = target.closest?.('[data-opens]')?.getAttribute('data-opens')
  if (opens) openWindow(opens)
  const closes = target.closest?.('[data-close]')?.getAttribute('data-close')
  if (closes) closeWindow(closes)
  if (target.closest?.('[data-hang-up]')) hangUp()
  if (target.closest?.('#me')) openWindow('keys')
  if (target.closest?.('#found a.task')) clearFound()
})

/** The call is over; the result is still to be told. */
function hangUp() {
  const call = document.querySelector('[data-call] [data-since]')
  const words = document.querySelector('[data-call]')
  if (!call || !words) return
  const span = call.querySelector('time')?.textContent ?? ''
  call.removeAttribute('data-since')
  words.textContent = /** @type {HTMLElement} */ (document.getElementById('words')).dataset.left?.replace('{span}', span) ?? ''
  /** @type {HTMLElement | null} */
  const hinted = document.querySelector('.results .hinted') ?? document.querySelector('.results .button')
  hinted?.focus()
}

/** Whose rule is open: there the focus goes back. */
let opener = ''

/** @param {string} id */
function openWindow(id) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById(id))
  if (id === 'keys') {
    if (!dialog.open) dialog.showModal()
    return
  }
  opener = document.activeElement?.id ?? ''
  if (!dialog.open) dialog.show()
  dialog.focus()
}

/** @param {string} id */
function closeWindow(id) {
  /** @type {HTMLDialogElement} */ (document.getElementById(id)).close()
  if (id === 'leaf' && opener) document.getElementById(opener)?.focus()
}

function clearFound() {
  const search = /** @type {HTMLInputElement | null} */ (document.getElementById('find-words'))
  if (search) search.value = ''
  document.getElementById('found')?.replaceChildren()
}

document.addEventListener('keydown', (event) => {
  lastActive = Date.now()
  dispatchKey(event, { openWindow, closeWindow, clearFound })
})

// --- the live line, and the sign of life

const line = startLine({
  refreshQueue,
  refreshIncident,
  openId,
  setOffset,
})
startSound()

const ALIVE_MS = 20_000
async function alive() {
  const mine = main()?.dataset.mine ? openId() : ''
  const active = Date.now() - lastActive < ALIVE_MS * 1.5 || Boolean(main()?.dataset.ringing)
  const token = JSON.parse(body.getAttribute('hx-headers') ?? '{}')['X-CSRFToken']
  try {
    const answer = await fetch(/** @type {string} */ (body.dataset.alive), {
      method: 'POST',
      headers: { 'X-CSRFToken': token, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ incident: mine, active: active ? '1' : '' }),
    })
    if (answer.ok && mine && !(await answer.json()).mine) await refreshIncident()
  } catch { /* the line itself says when the centre does not answer */ }
}
setInterval(alive, ALIVE_MS)
void alive()
setInterval(tick, 1000)
setOffset(Number(body.dataset.now))
tick()
keepInView()
