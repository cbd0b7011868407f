// Dialogs over the channel: focus goes in and comes back; the world beside them stays in reach.
import {anchorOf} from "./menu.js";

const $ = id => document.getElementById(id);
let opener = "";

document.addEventListener("click", event => {
  const button = event.target.closest("button[data-post]");
  if (button && $("scroll").contains(button)) opener = anchorOf(button).id;
}, true);

// The dialog's region has changed: opened, filled with what AWS says now, or gone.
export function dialogChanged() {
  const form = $("dialog").firstElementChild;
  const wasOpen = !$("scrim").hidden;
  $("scrim").hidden = !form;
  cover();
  if (form) focusInto(form);
  else if (wasOpen) giveBack();
}

export function closeDialog() {
  $("dialog").replaceChildren();
  dialogChanged();
}

function cover() {
  $("scroll").inert = !$("scrim").hidden || !$("question").hidden;
}

function focusInto(form) {
  const outside = document.activeElement.closest(".world");
  const field = form.querySelector("input, select, textarea") || form.querySelector(".m-body");
  if (!outside) field.focus({preventScroll: true});
}

function giveBack() {
  const active = document.activeElement;
  if (active && active !== document.body && !$("channel").contains(active)) return;
  ($(opener) || $("scroll")).focus({preventScroll: true});
}

// What Slack asks before a click counts; resolves to whether it shall.
export function ask(question, button) {
  $("q-title").textContent = question.title;
  $("q-text").textContent = question.text;
  $("q-yes").textContent = question.confirm;
  $("q-no").textContent = question.deny;
  $("q-yes").classList.toggle("danger", question.style === "danger");
  $("question").hidden = false;
  cover();
  $("q-no").focus();
  return new Promise(answer => {
    const done = yes => {
      $("question").hidden = true;
      cover();
      $("question").onkeydown = $("q-yes").onclick = $("q-no").onclick = null;
      ($(button.id) || $("scroll")).focus({preventScroll: true});
      answer(yes);
    };
    $("q-yes").onclick = () => done(true);
    $("q-no").onclick = () => done(false);
    $("question").onkeydown = event => { if (event.key === "Escape") done(false); };
  });
}

// What was typed, by block id, as Slack's own client would send it.
export function valuesOf(form) {
  const values = {};
  for (const block of form.querySelectorAll("[data-block]")) {
    const controls = [...block.querySelectorAll("input, select, textarea")];
    const kind = controls[0]?.type;
    if (kind === "checkbox") values[block.dataset.block] = controls.some(box => box.checked);
    else if (kind === "radio") values[block.dataset.block] = controls.find(box => box.checked)?.value;
    else values[block.dataset.block] = controls[0]?.value;
  }
  return values;
}

// Slack keeps what was typed where a dialog is updated under somebody's hands.
export function typedNow() {
  const form = $("dialog").querySelector("form");
  return form ? {view: form.dataset.view, values: valuesOf(form)} : {};
}

export function retype({view, values}) {
  const form = $("dialog").querySelector("form");
  if (!form || form.dataset.view !== view) return;
  for (const block of form.querySelectorAll("[data-block]")) {
    const value = values[block.dataset.block];
    for (const control of block.querySelectorAll("input, select, textarea")) {
      if (value === undefined) continue;
      if (control.type === "checkbox") control.checked = value;
      else if (control.type === "radio") control.checked = control.value === value;
      else control.value = value;
    }
  }
}

// Slack itself sends no dialog in which a required field is empty.
export function missing(form, values) {
  const empty = [...form.querySelectorAll("[data-block]:not([data-optional])")]
    .map(block => block.dataset.block)
    .filter(name => !values[name] || !String(values[name]).trim());
  return Object.fromEntries(empty.map(name => [name, "Please complete this required field."]));
}

// Beside each field what is wrong with it; focus goes to the first.
export function showErrors(form, errors) {
  for (const block of form.querySelectorAll("[data-block]")) {
    const error = errors[block.dataset.block];
    const hint = block.querySelector(".hint");
    block.classList.toggle("bad", Boolean(error));
    hint.textContent = error || hint.dataset.hint;
    hint.hidden = !hint.textContent;
    for (const control of block.querySelectorAll("input, select, textarea")) {
      control.setAttribute("aria-invalid", Boolean(error));
    }
  }
  form.querySelector(".bad input, .bad select, .bad textarea")?.focus();
}
