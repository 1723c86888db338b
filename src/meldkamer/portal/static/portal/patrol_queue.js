// What was entered and not sent yet: kept on the phone, sent in order, once.
//
// Every entry has a number made here; the centre stores each number once, so sending again after an
// answer was lost changes nothing. An entry leaves the phone's store only when the centre said that
// it has it. Reports go before photos: a photo on a bad line must not hold up "on site".
// @ts-check

/**
 * @typedef {object} Kept
 * @property {number} [n] order of entering
 * @property {string} id number of the entry
 * @property {string} unit whose phone it was
 * @property {string} job
 * @property {string} kind
 * @property {string} said_at the phone's clock
 * @property {Record<string, string>} fields
 * @property {Blob} [photo]
 * @property {string} [failed] why the centre can never store it; it stays until somebody removes it
 */
/** @typedef {{kept: Kept, words: string}} Refusal */

const NAME = 'meldkamer-patrol'
const STORE = 'entries'
const HURRY_MS = 20_000
const PHOTO_MS = 180_000

/** @type {Promise<IDBDatabase> | null} */
let opened = null

function open() {
  opened ??= new Promise((yes, no) => {
    const asked = indexedDB.open(NAME, 1)
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: 'n', autoIncrement: true })
    asked.onsuccess = () => yes(asked.result)
    asked.onerror = () => no(asked.error)
  })
  return opened
}

/** @template T @param {IDBTransactionMode} mode @param {(store: IDBObjectStore) => IDBRequest<T>} act @returns {Promise<T>} */
async function within(mode, act) {
  const database = await open()
  return new Promise((yes, no) => {
    const transaction = database.transaction(STORE, mode, { durability: 'strict' })
    const asked = act(transaction.objectStore(STORE))
    // written when the transaction is complete, not when the request is
    transaction.oncomplete = () => yes(asked.result)
    transaction.onerror = () => no(transaction.error)
    transaction.onabort = () => no(transaction.error)
  })
}

/** All that is kept of this unit, in the order in which it was entered. @param {string} unit @returns {Promise<Kept[]>} */
export async function kept(unit) {
  const all = await within('readonly', (store) => /** @type {IDBRequest<Kept[]>} */ (store.getAll()))
  return all.filter((one) => one.unit === unit)
}

/** @param {Omit<Kept, 'n' | 'id' | 'said_at'>} entry */
export async function keep(entry) {
  const one = { ...entry, id: crypto.randomUUID(), said_at: new Date().toISOString() }
  await within('readwrite', (store) => store.add(one))
}

/** @param {Kept} one */
export const drop = (one) => within('readwrite', (store) => store.delete(/** @type {number} */ (one.n)))

/** @param {Kept} one */
const change = (one) => within('readwrite', (store) => store.put(one))

/** @param {string} name */
function cookie(name) {
  const found = document.cookie.split('; ').find((part) => part.startsWith(`${name}=`))
  return found ? decodeURIComponent(found.slice(name.length + 1)) : ''
}

/** A request of this page to its centre. @param {string} address @param {FormData} [form] @param {number} [limit] */
export function ask(address, form, limit = HURRY_MS) {
  return fetch(address, {
    method: form ? 'POST' : 'GET',
    body: form,
    headers: { 'X-Requested-With': 'patrol', 'X-CSRFToken': cookie('meldkamer_csrf') },
    signal: AbortSignal.timeout(limit),
    redirect: 'error',
    cache: 'no-store',
  })
}

/** @param {Kept} one */
function send(one) {
  const form = new FormData()
  form.set('id', one.id)
  form.set('job', one.job)
  form.set('kind', one.kind)
  form.set('said_at', one.said_at)
  for (const [name, value] of Object.entries(one.fields)) form.set(name, value)
  if (one.photo) form.set('photo', one.photo, 'photo')
  return ask('/patrol/say/', form, one.photo ? PHOTO_MS : HURRY_MS)
}

/**
 * Send what waits; stops at the first that cannot be sent now.
 * refused: the centre has it and would not act on it. What it can never store is kept, with why.
 * @param {string} unit @param {(refusal: Refusal) => void} refused
 * @returns {Promise<'sent' | 'later' | 'shut out'>}
 */
export function flush(unit, refused) {
  // one page of this phone at a time; the centre would sort it out, but why send a photo twice
  return navigator.locks.request(NAME, async () => {
    const all = (await kept(unit)).filter((one) => !one.failed)
    for (const one of [...all.filter((each) => !each.photo), ...all.filter((each) => each.photo)]) {
      let answer
      /** @type {{stored?: string, refused?: string, words?: string}} */
      let told = {}
      try {
        answer = await send(one)
        if (answer.status === 200 || answer.status === 400) told = await answer.json()
      } catch {
        return 'later'
      }
      if (answer.status === 401 || answer.status === 403) return 'shut out'
      if (answer.status === 200 && told.stored === one.id) {
        await drop(one)
        if (told.refused) refused({ kept: one, words: told.refused })
      } else if (answer.status === 400 || answer.status === 413) {
        await change({ ...one, failed: told.words || String(answer.status) })
      } else {
        return 'later'
      }
    }
    return 'sent'
  })
}
