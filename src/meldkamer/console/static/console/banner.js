// The banner of the house stands in every fetched queue. The same again is not drawn again: a
// screen reader says it once, and the focus stays on its button.
// @ts-check

document.addEventListener('htmx:oobBeforeSwap', (event) => {
  const { target, fragment } = /** @type {any} */ (event).detail
  if (target?.id !== 'house') return
  const fresh = fragment.querySelector?.('#house') ?? fragment.firstElementChild ?? fragment
  const words = (/** @type {Element} */ at) => at.textContent?.trim() ?? ''
  if (words(fresh) === words(target)) /** @type {any} */ (event).detail.shouldSwap = false
})
