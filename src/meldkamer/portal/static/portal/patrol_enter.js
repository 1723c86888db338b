// The door of the patrol's page: the link's token is behind its "#", so that no server and no proxy
// ever writes it down. It stays on this phone; the PIN does not.
// @ts-check

const KEY = 'meldkamer-patrol-link'
const field = /** @type {HTMLInputElement} */ (document.getElementById('token'))

let token = location.hash.slice(1)
if (token) {
  try { localStorage.setItem(KEY, token) } catch { /* a phone that keeps nothing needs the link each time */ }
  history.replaceState(null, '', location.pathname)
} else {
  try { token = localStorage.getItem(KEY) ?? '' } catch { /* as above */ }
}
field.value = token
if (!token) document.getElementById('no-link')?.removeAttribute('hidden')
document.getElementById('pin-code')?.focus()
