// Keys of the office: / search, Ctrl+Enter save, and the letter shown on a link's cap.
// No page needs it: every key has a link or button that does the same.

const typing = (where) => where.closest("input, select, textarea, [contenteditable]");

document.addEventListener("keydown", (press) => {
  const where = press.target instanceof Element ? press.target : document.body;
  if (press.key === "Enter" && (press.ctrlKey || press.metaKey)) {
    const form = where.closest("form[data-save]") || document.querySelector("form[data-save]");
    if (form) {
      press.preventDefault();
      form.requestSubmit();
    }
    return;
  }
  if (press.key === "Escape" && typing(where)) {
    where.blur();
    return;
  }
  if (press.ctrlKey || press.metaKey || press.altKey || typing(where)) return;
  if (press.key === "/") {
    const search = document.getElementById("find-sites");
    if (search) {
      press.preventDefault();
      search.focus();
      search.select();
    }
    return;
  }
  const target = document.querySelector(`[data-key="${CSS.escape(press.key.toLowerCase())}"]`);
  if (target) {
    press.preventDefault();
    target.click();
  }
});

// What must be read first gets the focus: the faults of a form, a code that is shown once.
document.querySelector("[data-focus]")?.focus();
document.querySelector(".task[aria-current]")?.scrollIntoView({ block: "nearest" });

// What is drawn again by itself is not drawn under a person's hands: an open menu, a focused button.
document.addEventListener("htmx:beforeRequest", (event) => {
  const drawn = event.target;
  if (drawn instanceof Element && drawn.matches("[data-still]") && drawn.querySelector("details[open], :focus")) {
    event.preventDefault();
  }
});
