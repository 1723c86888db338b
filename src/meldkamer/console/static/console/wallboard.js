// The wallboard in the browser: fetches anew when the centre says that something changed, and says
// how far behind it is when the centre says nothing. Nobody touches it: it comes back by itself.
// @ts-check

import { setBehind, setOffset, tick } from './ages.js'

const STALE_MS = 5_000
/** In a storm it is drawn so often; when nothing is told, so often all the same. */
const LEAST_MS = 1_000
const ANYWAY_MS = 10_000
const RETRY_MS = 1_000

const body = document.body
const words = document.getElementById('words')
let lastBeat = Date.now()
let drawn = Date.now()
let due = false
let fetching = false

function hear() {
  const source = new EventSource(body.dataset.stream ?? '')
  for (const kind of ['hello', 'change', 'beat']) {
    source.addEventListener(kind, (event) => {
      const { now } = JSON.parse(/** @type {MessageEvent} */ (event).data)
      lastBeat = Date.now()
      setOffset(now)
      body.dataset.live = 'yes'
      if (kind !== 'beat') due = true
    })
  }
  source.onerror = () => {
    source.close()
    setTimeout(hear, RETRY_MS)
  }
}

async function draw() {
  const wanted = (due && Date.now() - drawn > LEAST_MS) || Date.now() - drawn > ANYWAY_MS
  if (!wanted || fetching) return
  fetching = true
  due = false
  try {
    const answer = await fetch(body.dataset.board ?? '', { headers: { 'HX-Request': 'true' } })
    if (answer.status === 204 || answer.redirected) location.reload()
    else if (answer.ok) {
      const board = document.getElementById('now')
      if (board) board.innerHTML = await answer.text()
      drawn = Date.now()
      tick()
    }
  } catch {
    due = true // the banner says how long it is that nothing came
  } finally {
    fetching = false
  }
}

function watch() {
  const silent = Date.now() - Math.min(lastBeat, drawn + ANYWAY_MS)
  const behind = silent > STALE_MS
  const banner = document.getElementById('behind')
  const text = banner?.querySelector('p')
  if (banner && text) {
    banner.hidden = !behind
    if (behind) text.textContent = (words?.dataset.behind ?? '').replace('{s}', String(Math.round(silent / 1000)))
  }
  setBehind(behind)
}

setOffset(Number(body.dataset.now))
hear()
setInterval(() => {
  watch()
  tick()
  void draw()
}, 500)
tick()
