// Sends what a person does here, and shows what the server says. Knows nothing of cases or AWS.
import {
  ask, closeDialog, dialogChanged, missing, retype, showErrors, typedNow, valuesOf,
} from "./dialog.js";
import {anchorOf} from "./menu.js";

const $ = id => document.getElementById(id);
const story = $("story").value;
let stream = null;
let lost = 0;
let read = "0";

const me = () => document.querySelector("[name=who]:checked").value;

export async function send(act) {
  try {
    const reply = await fetch("/acts", {
      method: "POST",
      headers: {"Content-Type": "application/json", "X-Unlatch-Page": "1"},
      body: JSON.stringify({...act, as: me()}),
    });
    const said = await reply.json();
    if (said.error) toast(said.error);
    return said;
  } catch {
    toast("The demo’s server does not answer. Is it still running?");
    return {};
  }
}

function toast(sentence) {
  $("toast").textContent = sentence;
  $("toast").hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { $("toast").hidden = true; }, 6000);
}

// Regions

function show(regions) {
  const typed = typedNow();
  const newest = $("feed").lastElementChild?.id;
  if (regions.story !== undefined && regions.story !== story) return location.reload();
  delete regions.story;
  for (const [id, html] of Object.entries(regions)) swap($(id), html);
  if ("dialog" in regions) {
    retype(typed);
    dialogChanged();
  }
  markPlace();
  const last = $("feed").lastElementChild;
  if (newest && last?.id && last.id !== newest) last.scrollIntoView({block: "start"});
  if (regions.private) $("private").lastElementChild?.scrollIntoView({block: "nearest"});
  if ("replies" in regions) $("replies").scrollTop = $("replies").scrollHeight;
  if ("feed" in regions && document.body.dataset.tab === "world") markFresh();
}

// Our server's own HTML, in which everything from elsewhere is escaped.
function swap(region, html) {
  const active = document.activeElement;
  const focused = region.contains(active) ? active.id : "";
  const unfolded = [...region.querySelectorAll("details[open][id]")].map(details => details.id);
  region.innerHTML = html;
  for (const id of unfolded) if ($(id)) $(id).open = true;
  if (focused) ($(focused) || region.closest("[tabindex]") || $("scroll")).focus({preventScroll: true});
}

function listen() {
  stream?.close();
  stream = new EventSource(`/events?as=${encodeURIComponent(me())}`);
  stream.onmessage = event => {
    lost = 0;
    show(JSON.parse(event.data));
    document.body.dataset.live = "yes";
  };
  stream.onerror = () => { if (++lost === 2) toast("The demo’s server has stopped."); };
}

// Acts

async function press(button) {
  if (button.dataset.confirm && !await ask(JSON.parse(button.dataset.confirm), button)) return;
  const id = anchorOf(button).id;
  button.disabled = true;
  await send(JSON.parse(button.dataset.post));
  button.disabled = false;
  if (id && document.activeElement === document.body) $(id)?.focus({preventScroll: true});
}

document.addEventListener("click", event => {
  const to = event.target.closest("[data-place]");
  if (to) go(to.dataset.place);
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.post) press(button);
  if (button.dataset.to) tab(button.dataset.to);
  if ("close" in button.dataset) close();
});

document.addEventListener("keydown", event => {
  if (event.key === "Escape" && !$("scrim").hidden && $("question").hidden) close();
});

function close() {
  closeDialog();
  send({act: "close"});
}

document.addEventListener("submit", async event => {
  event.preventDefault();
  const form = event.target;
  if (form.id === "say") {
    const text = $("words").value;
    if (!text.trim()) return;
    const said = await send({act: "say", text});
    if (!said.error) $("words").value = "";
    return;
  }
  const button = form.querySelector("[type=submit]");
  if (!button || button.disabled) return;
  const values = valuesOf(form);
  const empty = missing(form, values);
  showErrors(form, empty);
  if (Object.keys(empty).length) return;
  button.disabled = true;
  const said = await send({act: "submit", view: form.dataset.view, values});
  button.disabled = false;
  showErrors(form, said.errors || {});
});

$("who").addEventListener("change", () => {
  read = "0";
  history.replaceState(null, "", `/?as=${encodeURIComponent(me())}`);
  listen();
});
$("story").addEventListener("change", () => send({act: "story", name: $("story").value}));
$("again").addEventListener("click", () => send({act: "story", name: $("story").value}));

// The channel, or the app with its Home tab and direct messages

function go(place) {
  document.body.dataset.at = place;
  markPlace();
}

function markPlace() {
  const at = document.body.dataset.at;
  for (const button of document.querySelectorAll(".places button")) {
    button.setAttribute("aria-pressed", button.dataset.place === at);
  }
  const app = $("p-app");
  if (!app && at === "app") return go("channel");
  if (!app) return;
  if (at === "app") read = app.dataset.news;
  app.classList.toggle("fresh", app.dataset.news !== read);
}

// Panes on a phone, and the theme

function tab(name) {
  document.body.dataset.tab = name;
  for (const button of document.querySelectorAll("[role=tab]")) {
    button.setAttribute("aria-selected", button.dataset.to === name);
    if (button.dataset.to === name) button.classList.remove("fresh");
  }
  if (name === "world") $("fail").focus({preventScroll: true});
}

function markFresh() {
  document.querySelector("[role=tab][data-to=channel]").classList.add("fresh");
}

const isDark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};
function nameTheme() { $("theme").textContent = isDark() ? "Light" : "Dark"; }
$("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  localStorage.setItem("theme", document.documentElement.dataset.theme);
  nameTheme();
});

nameTheme();
dialogChanged();
listen();
