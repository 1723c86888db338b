// The patrol's page: what the centre says of the job, and ahead of it what was entered here and is
// not sent yet. Never decides: an entry that comes too late is answered by the centre, and shown.
// @ts-check

import { ask, drop, flush, keep, kept } from './patrol_queue.js'
import { startPlace, tellPlace } from './patrol_place.js'
import { ring } from './patrol_sound.js'
import { mayTone } from '../house/tone.js'

/** @typedef {import('./patrol_queue.js').Kept} Kept */

const NEWS_MS = 3_000
const unit = document.body.dataset.unit ?? ''
let version = document.body.dataset.version ?? ''
let shutOut = false
/** @type {Kept[]} */
let entries = []

/** @param {string} id */
const by = (id) => /** @type {HTMLElement} */ (document.getElementById(id))
const job = () => /** @type {HTMLElement} */ (by('job').querySelector('main'))
const words = () => by('words').dataset
/** what an entry makes of the stage, before the centre says so */
const AHEAD = /** @type {Record<string, string>} */ ({ accept: 'accepted', arrived: 'arrived', finding: 'found', done: 'idle', cannot: 'idle' })

// --- what is shown

/** The stage as the centre told it, moved on by what waits here for this job. */
function draw() {
  const main = job()
  main.dataset.told ??= main.dataset.stage
  let stage = main.dataset.told ?? 'idle'
  const mine = entries.filter((one) => one.job === main.dataset.job && !one.failed)
  for (const one of mine) stage = AHEAD[one.kind] ?? stage
  main.dataset.stage = stage
  for (const one of mine) {
    const time = main.querySelector(`[data-at="${one.kind}"]`)
    if (time) time.textContent = `${hours(new Date(one.said_at))}, ${words().waits}`
  }
  const waits = entries.filter((one) => !one.failed).length
  by('waits').hidden = !waits
  const count = /** @type {HTMLElement} */ (by('waits').querySelector('[data-one]'))
  count.textContent = (waits === 1 ? count.dataset.one : count.dataset.many)?.replace('{n}', String(waits)) ?? ''
  by('shut-out').hidden = !shutOut
  document.body.dataset.waits = String(waits)
  drawPhotos(mine)
  drawFailed()
  if (stage === 'idle' && main.dataset.told !== 'idle') main.hidden = true
  tick()
}

/** @param {Date} moment */
const hours = (moment) => `${String(moment.getHours()).padStart(2, '0')}:${String(moment.getMinutes()).padStart(2, '0')}`

/** Photos that wait, drawn small: no address of a picture is made, so none has to be allowed. @param {Kept[]} mine */
function drawPhotos(mine) {
  const list = document.getElementById('photos')
  if (!list) return
  const there = new Map([...list.querySelectorAll('figure[data-id]')].map((figure) => [/** @type {HTMLElement} */ (figure).dataset.id, figure]))
  for (const one of mine) {
    if (!one.photo || there.delete(one.id)) continue
    const figure = /** @type {HTMLElement} */ (copy('figure').querySelector('figure'))
    figure.dataset.id = one.id
    list.insertBefore(figure, list.querySelector('label'))
    void thumbnail(/** @type {HTMLCanvasElement} */ (figure.querySelector('canvas')), one.photo)
  }
  for (const gone of there.values()) gone.remove()
}

/** @param {HTMLCanvasElement} canvas @param {Blob} photo */
async function thumbnail(canvas, photo) {
  try {
    const image = await createImageBitmap(photo)
    const scale = Math.max(canvas.width / image.width, canvas.height / image.height)
    const [width, height] = [image.width * scale, image.height * scale]
    canvas.getContext('2d')?.drawImage(image, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height)
    image.close()
  } catch { /* what is no picture is refused by the centre, with why */ }
}

/** What the centre can never store stays in sight until somebody removes it. */
function drawFailed() {
  for (const one of entries.filter((each) => each.failed)) {
    if (!document.querySelector(`#refusals [data-id="${one.id}"]`)) say(one.id, one.failed ?? '', () => drop(one).then(look))
  }
}

/** @param {string} id @param {string} text @param {() => unknown} [then] */
function say(id, text, then) {
  const banner = /** @type {HTMLElement} */ (copy('refusal').querySelector('.banner'))
  banner.dataset.id = id
  const place = banner.querySelector('span')
  if (place) place.textContent = text
  banner.querySelector('button')?.addEventListener('click', () => { banner.remove(); then?.() })
  by('refusals').append(banner)
}

/** @param {string} id */
const copy = (id) => /** @type {DocumentFragment} */ (/** @type {HTMLTemplateElement} */ (by(id)).content.cloneNode(true))

function tick() {
  by('clock').textContent = hours(new Date())
  const left = job().querySelector('[data-left]')
  const until = Number(job().dataset.until)
  if (left) {
    const seconds = Math.max(0, Math.round((until - Date.now()) / 1000))
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  }
  const asked = job().dataset.stage === 'offered'
  document.title = document.title.replace(/^● /, '')
  if (asked) document.title = `● ${document.title}`
  ring(asked)
}

// --- the centre

/** @param {boolean} up */
function line(up) {
  by('line-up').hidden = !up
  by('line-down').hidden = up
  document.body.dataset.line = up ? 'up' : 'down'
}

async function look() {
  entries = await kept(unit)
  draw()
}

let looking = false
async function news() {
  if (looking) return
  looking = true
  try {
    const sent = await flush(unit, (refusal) => say(refusal.kept.id, refusal.words))
    if (sent === 'shut out') shutOut = true
    const answer = await ask(`/patrol/news/?version=${encodeURIComponent(version)}`)
    line(true)
    shutOut = answer.status === 401
    if (answer.status === 200) {
      const [part, its, at] = [await answer.text(), answer.headers.get('X-Version') ?? '', answer.headers.get('X-At') ?? '0']
      replace(part, its)
      void keepPart(part, its, at)
    }
  } catch {
    line(false)
  } finally {
    looking = false
  }
  await look()
  await showCodes()
}

/** @param {string} part @param {string} its */
function replace(part, its) {
  const focus = document.activeElement?.id
  version = its
  by('job').innerHTML = part
  restoreDraft()
  if (focus) document.getElementById(focus)?.focus({ preventScroll: true })
}

// The page itself was kept when it was loaded; the job may have come since. Never a code: those are
// not in what the centre sends here.
const KEPT = 'meldkamer-patrol-1'
const PART = '/patrol/kept-part'

/** A first visit went past the worker, which was not there yet: what it brought is kept here. */
async function keepPage() {
  if (!('caches' in window) || navigator.serviceWorker.controller) return
  const store = await caches.open(KEPT)
  const files = performance.getEntriesByType('resource').map((one) => one.name.split('?')[0])
  const wanted = ['/patrol/', ...new Set(files.filter((name) => new URL(name).pathname.startsWith('/static/')))]
  await Promise.all(wanted.map(async (address) => {
    const found = await fetch(address)
    if (found.ok && !found.redirected) await store.put(address, found)
  }))
}

/** @param {string} part @param {string} its @param {string} at */
async function keepPart(part, its, at) {
  if (!('caches' in window)) return
  const store = await caches.open(KEPT)
  await store.put(PART, new Response(part, { headers: { 'X-Version': its, 'X-At': at } }))
}

/** Without a network the page is as old as its last load: what came after it is put into it. */
async function restorePart() {
  if (!('caches' in window)) return
  const found = await (await caches.open(KEPT)).match(PART)
  if (!found || Number(found.headers.get('X-At')) <= Number(document.body.dataset.at)) return
  replace(await found.text(), found.headers.get('X-Version') ?? '')
}

/**
 * The codes live in this page's memory alone, while the job runs: fetched on site, once a load.
 * @type {{job: string, codes: {kind: string, code: string}[]}}
 */
let known = { job: '', codes: [] }

async function showCodes() {
  const { job: number, told } = job().dataset
  const onSite = ['arrived', 'found'].includes(told ?? '')
  if (!onSite) known = { job: '', codes: [] }
  const place = document.getElementById('codes')
  if (!place || place.dataset.shown || !onSite) return
  if (known.job !== number) {
    let answer
    try {
      answer = await ask('/patrol/codes/', new FormData())
      if (!answer.ok) return
    } catch { return }
    /** @type {{job: number, codes: {kind: string, code: string}[]}} */
    const found = await answer.json()
    known = { job: String(found.job), codes: found.codes }
  }
  if (known.job !== job().dataset.job || !place.isConnected) return
  place.replaceChildren(...known.codes.map(({ kind, code }) => {
    const row = /** @type {HTMLElement} */ (copy('code-row').firstElementChild)
    const [label, value] = [row.querySelector('.hush'), row.querySelector('.code')]
    if (label && known.codes.length > 1) label.textContent = kind
    if (value) value.textContent = code
    return row
  }))
  place.dataset.shown = '1'
  by('codes-until').hidden = false
}

// --- what is entered

/** @param {string} kind @param {Record<string, string>} fields @param {Blob} [photo] */
async function enter(kind, fields, photo) {
  await keep({ unit, job: job().dataset.job ?? '', kind, fields, ...(photo ? { photo } : {}) })
  await look()
  void tellPlace()
  void news()
}

const chosen = (/** @type {string} */ name) =>
  /** @type {HTMLInputElement | null} */ (document.querySelector(`input[name="${name}"]:checked`))?.value ?? ''

/** @type {Record<string, () => unknown>} */
const ACTS = {
  'why-not': () => { by('cannot').hidden = false; by('cannot').scrollIntoView({ block: 'center' }) },
  stay: () => { by('cannot').hidden = true },
  accept: () => enter('accept', {}),
  cannot: () => enter('cannot', { reason: chosen('reason') || 'other' }),
  arrived: () => enter('arrived', {}),
  finding: async () => {
    const finding = chosen('finding')
    by('no-finding').hidden = Boolean(finding)
    if (!finding) {
      document.querySelector('input[name="finding"]')?.scrollIntoView({ block: 'center' })
      return
    }
    await enter('finding', { finding, note: /** @type {HTMLTextAreaElement} */ (by('note')).value })
  },
  done: async () => { await enter('done', {}); forgetDraft() },
}

let busy = false
by('job').addEventListener('click', async (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest('[data-act]')
  const act = ACTS[/** @type {HTMLElement | null} */ (button)?.dataset.act ?? '']
  if (!act || busy) return
  // a thumb that taps twice means it once; sending goes on by itself
  busy = true
  try { await act() } finally { busy = false }
})
by('job').addEventListener('change', async (event) => {
  const input = /** @type {HTMLInputElement} */ (event.target)
  if (input.type !== 'file') return saveDraft()
  const photos = [...(input.files ?? [])]
  input.value = ''
  for (const photo of photos) await keep({ unit, job: job().dataset.job ?? '', kind: 'photo', fields: {}, photo })
  await look()
  void news()
})
by('job').addEventListener('input', () => saveDraft())

// --- what was typed and not sent is not lost by a reload

const draftKey = () => `meldkamer-patrol-draft-${job().dataset.job}`

function saveDraft() {
  const note = /** @type {HTMLTextAreaElement | null} */ (document.getElementById('note'))?.value ?? ''
  try { localStorage.setItem(draftKey(), JSON.stringify({ note, finding: chosen('finding') })) } catch { /* kept in the page alone */ }
}

function restoreDraft() {
  const note = /** @type {HTMLTextAreaElement | null} */ (document.getElementById('note'))
  if (!note) return
  try {
    /** @type {{note?: string, finding?: string}} */
    const draft = JSON.parse(localStorage.getItem(draftKey()) ?? '{}')
    if (draft.note) note.value = draft.note
    const option = /** @type {HTMLInputElement | null} */ (document.querySelector(`input[name="finding"][value="${CSS.escape(draft.finding ?? '')}"]`))
    if (option) option.checked = true
  } catch { /* a broken draft is none */ }
}

function forgetDraft() {
  try { localStorage.removeItem(draftKey()) } catch { /* nothing was kept */ }
}

// --- the end of a shift on this phone: what was kept of jobs goes, what waits stays

by('leave').addEventListener('submit', () => { if ('caches' in window) void caches.delete(KEPT) })

async function start() {
  await restorePart()
  restoreDraft()
  mayTone()
  startPlace()
  if ('serviceWorker' in navigator) {
    // without a network now, the next visit keeps it
    void navigator.serviceWorker.register('/patrol/worker.js', { scope: '/patrol/' }).then(keepPage).catch(() => null)
  }
  void navigator.storage?.persist?.()
  await look()
  setInterval(tick, 1_000)
  setInterval(() => void news(), NEWS_MS)
  addEventListener('online', () => void news())
  addEventListener('offline', () => line(false))
  document.addEventListener('visibilitychange', () => { if (!document.hidden) void news() })
  await news()
  document.body.dataset.live = '1'
}

void start()
