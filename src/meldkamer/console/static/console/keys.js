// Keys: letters by what is printed on the cap, digits by position, so azerty needs no Shift.
// In a field only Esc, Enter and function keys act. A key presses the button that bears it; a key
// without a button is answered, never silent.
// @ts-check

const LETTERS = 'andopbmrgithelvxcjwksy'

/** A sentence of the page, said to everybody: seen and read aloud. @param {string} name @param {Record<string, string | number>} values */
export function say(name, values) {
  const words = document.getElementById('words')?.getAttribute(`data-${name}`) ?? name
  const text = words.replace(/\{(\w+)\}/g, (all, key) => String(values[key] ?? all))
  let told = document.getElementById('told')
  if (!told) {
    told = document.createElement('p')
    told.id = 'told'
    told.className = 'told'
    told.setAttribute('role', 'status')
    document.getElementById('foot')?.before(told)
  }
  told.textContent = text
}

/** @param {Element | null} element */
function isField(element) {
  if (!(element instanceof HTMLElement)) return false
  if (element instanceof HTMLInputElement) return !['button', 'checkbox', 'radio', 'submit'].includes(element.type)
  return element instanceof HTMLTextAreaElement || element instanceof HTMLSelectElement || element.isContentEditable
}

/** The name under which a button bears this key; "" when it is no key of ours. @param {KeyboardEvent} event */
export function keyName(event) {
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)
  if (digit) return (event.shiftKey ? 'shift-' : '') + digit[1]
  if (/^F\d+$/.test(event.key) || ['Enter', 'Escape', 'ArrowUp', 'ArrowDown', '/'].includes(event.key)) return event.key
  const letter = event.key.toLowerCase()
  return letter.length === 1 && LETTERS.includes(letter) && !event.shiftKey ? letter : ''
}

/** The button of a key: one that is drawn before a spare one. @param {string} name */
function buttonOf(name) {
  const key = CSS.escape(name)
  const found = [...document.querySelectorAll(`[data-key="${key}"], [data-key-too="${key}"]`)]
  const drawn = found.find((one) => !one.hasAttribute('data-spare'))
  return /** @type {HTMLElement | undefined} */ (drawn ?? found[0])
}

/** Every rule that can be opened in the steps and the course. */
const rules = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll('#steps a.clause[id]')])

/** W: to the newest line of the course; from there ↑ and ↓ go, ⏎ opens its rule. */
function toRules() {
  const newest = /** @type {HTMLElement | null} */ (document.querySelector('.course a.clause[id]'))
  newest?.focus()
  newest?.scrollIntoView({ block: 'nearest' })
}

/** @param {number} step */
function moveRule(step) {
  const all = rules()
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement))
  const next = all[Math.min(all.length - 1, Math.max(0, at + step))]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}

/** @param {string} name */
function press(name) {
  const button = buttonOf(name)
  if (!button) return false
  if (button.hasAttribute('data-rules')) {
    toRules()
    return true
  }
  if (button.hasAttribute('data-focus')) {
    button.focus()
    if (button instanceof HTMLInputElement) button.select()
  } else button.click()
  return true
}

/** @param {number} step */
function move(step) {
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('#queue-list .job')])
  if (!rows.length) return
  let at = rows.indexOf(/** @type {HTMLElement} */ (document.activeElement))
  if (at < 0) at = rows.findIndex((row) => row.hasAttribute('aria-current'))
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step))
  rows[next].focus()
  rows[next].scrollIntoView({ block: 'nearest' })
}

const REGIONS = ['queue', 'steps', 'work', 'site']

/** F6: queue, steps, work, site. @param {boolean} back */
function nextRegion(back) {
  const regions = REGIONS.map((id) => document.getElementById(id)).filter((one) => one !== null)
  const at = regions.findIndex((one) => one.contains(document.activeElement))
  const next = regions[(at + (back ? -1 : 1) + regions.length) % regions.length]
  next?.focus()
}

/** @typedef {{ openWindow: (id: string) => void, closeWindow: (id: string) => void, clearFound: () => void }} Windows */

/** @param {Windows} windows */
function escape(windows) {
  const leaf = /** @type {HTMLDialogElement | null} */ (document.getElementById('leaf'))
  if (leaf?.open) return windows.closeWindow('leaf')
  windows.clearFound()
  const active = /** @type {HTMLElement} */ (document.activeElement)
  const wasField = isField(active)
  active?.blur?.()
  const back = buttonOf('Escape')
  if (back && (!wasField || back.closest('form.ask, form.close-form, .caller'))) back.click()
}

/** @param {KeyboardEvent} event @param {Windows} windows */
function inField(event, windows) {
  const field = /** @type {HTMLElement} */ (event.target)
  if (event.key === 'Enter' && field.hasAttribute('data-sends') && !event.shiftKey) {
    event.preventDefault()
    if (field instanceof HTMLTextAreaElement) field.form?.requestSubmit()
  } else if (event.key === 'Enter' && field instanceof HTMLSelectElement) {
    event.preventDefault()
    field.form?.requestSubmit()
  } else if (event.key === 'ArrowDown' && field.id === 'find-words') {
    event.preventDefault()
    /** @type {HTMLElement | null} */
    const first = document.querySelector('#found a.task')
    first?.focus()
  } else if (event.key === 'Escape') {
    event.preventDefault()
    escape(windows)
  }
}

/** @param {KeyboardEvent} event @param {Windows} windows */
export function dispatchKey(event, windows) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  const keys = /** @type {HTMLDialogElement} */ (document.getElementById('keys'))
  if (event.key === 'F1') {
    event.preventDefault()
    return keys.open ? keys.close() : windows.openWindow('keys')
  }
  if (keys.open) return
  if (event.key === 'F6') {
    event.preventDefault()
    return nextRegion(event.shiftKey)
  }
  if (event.key === 'F2' || event.key === 'F8' || event.key === 'F9') {
    event.preventDefault()
    if (!press(event.key)) say('nothing', { key: event.key })
    return
  }
  if (isField(/** @type {Element} */ (event.target))) return inField(event, windows)
  if (event.repeat && !event.key.startsWith('Arrow')) return
  onTheDesk(event, windows)
}

/** @param {KeyboardEvent} event @param {Windows} windows */
function onTheDesk(event, windows) {
  const name = keyName(event)
  if (!name) return
  const leaf = /** @type {HTMLDialogElement} */ (document.getElementById('leaf'))
  if (leaf.open && leaf.contains(document.activeElement)) {
    // it is read: arrows scroll it, and ⏎ must not press what lies below
    if (name.startsWith('Arrow')) return
    if (name === 'Enter') return document.activeElement === leaf ? windows.closeWindow('leaf') : undefined
  }
  if (name === 'ArrowUp' || name === 'ArrowDown') {
    const active = document.activeElement
    if (active?.matches('#steps a.clause[id]')) {
      event.preventDefault()
      return moveRule(name === 'ArrowDown' ? 1 : -1)
    }
    if (active?.closest('#steps, #site, #work, .signals-box') && !active.closest('.job')) return
    event.preventDefault()
    return move(name === 'ArrowDown' ? 1 : -1)
  }
  if (name === 'Escape') return escape(windows)
  if (name === 'Enter') {
    const active = /** @type {HTMLElement} */ (document.activeElement)
    const own = active?.closest('a, button')
    const again = own?.matches('.job[aria-current]')
    if (own && !again) return
    if (press('Enter')) event.preventDefault()
    return
  }
  event.preventDefault()
  if (!press(name)) say('nothing', { key: name.replace('shift-', '⇧').toUpperCase() })
}
