// The banner of the house stands in every fetched queue. The same again is not drawn again: a
// screen reader says it once, and the focus stays on its button.
// @ts-check

document.addEventListener('htmx:oobBeforeSwap', (event) => {
  const { target, fragment } = /** @type {any} */ (event).detail
  if (target?.id !== 'house' && target?.id !== 'calls') return
  const fresh = fragment.querySelector?.(`#${target.id}`) ?? fragment.firstElementChild ?? fragment
  // an age runs on by itself
  const words = (/** @type {Element} */ at) => [...at.querySelectorAll('time')].reduce((text, age) => text.replace(age.textContent ?? '', ''), at.textContent ?? '').trim()
  if (words(fresh) === words(target)) /** @type {any} */ (event).detail.shouldSwap = false
})
