// Menus that unfold from three dots: arrows walk over their options, Escape and a click elsewhere close them.
const OPEN = "details.menu[open]";
const STEPS = {ArrowDown: 1, ArrowUp: -1};

// What has the focus once a button's work is done: of an option, the dots that it hides behind.
export function anchorOf(button) {
  return button.closest("details.menu")?.querySelector("summary") || button;
}

function close(menu, refocus) {
  menu.open = false;
  if (refocus) menu.querySelector("summary").focus({preventScroll: true});
}

document.addEventListener("click", event => {
  const within = event.target.closest("details.menu");
  const chosen = event.target.closest("details.menu button");
  for (const menu of document.querySelectorAll(OPEN)) {
    if (menu !== within || chosen) close(menu, Boolean(chosen) && menu === within);
  }
});

document.addEventListener("focusout", event => {
  const menu = event.target.closest(OPEN);
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) close(menu, false);
});

document.addEventListener("toggle", event => {
  if (event.target.matches(OPEN)) event.target.lastElementChild.scrollIntoView({block: "nearest"});
}, true);

document.addEventListener("keydown", event => {
  const menu = event.target.closest("details.menu");
  if (!menu) return;
  if (event.key === "Escape" && menu.open) {
    close(menu, true);
    event.stopPropagation();
  }
  const step = STEPS[event.key];
  if (!step) return;
  event.preventDefault();
  menu.open = true;
  const options = [...menu.querySelectorAll("button")];
  const at = options.indexOf(document.activeElement);
  const next = at < 0 && step < 0 ? options.length - 1 : (at + step + options.length) % options.length;
  options[next].focus();
});
