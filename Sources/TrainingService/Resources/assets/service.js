// What makes the pages live. Without it they are whole: they load again by themselves while a job runs.
"use strict";

// A job's page: each event is a reason to look at the page anew, at most twice a second.
const followed = document.querySelector("[data-follow]");
if (followed) {
  const source = new EventSource(followed.dataset.follow);
  const log = document.getElementById("log");
  let waiting = false;
  const look = async () => {
    waiting = false;
    const fresh = await fetched(location.href);
    const state = fresh && fresh.getElementById("state");
    if (!state) return;
    if (!state.dataset.follow) source.close();
    // Where the stream begins is for a page that is loaded, and changes with each event.
    state.dataset.follow = followed.dataset.follow;
    patch(followed, state);
    patch(document.querySelector(".heading"), fresh.querySelector(".heading"));
  };
  const soon = () => {
    if (!waiting) { waiting = true; setTimeout(look, 500); }
  };
  source.addEventListener("log", (event) => {
    const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
    log.append(JSON.parse(event.data).body.text + "\n");
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  });
  for (const kind of ["status", "epoch", "job"]) source.addEventListener(kind, soon);
  log.scrollTop = log.scrollHeight;
}

// The list of jobs, every three seconds while it is looked at.
const live = document.querySelector("[data-live]");
if (live) {
  setInterval(async () => {
    if (document.hidden) return;
    const fresh = await fetched(location.href);
    const rows = fresh && fresh.getElementById(live.id);
    if (rows) patch(live, rows);
  }, 3000);
}

// Changes only what differs, so that a click that is under way, the focus and a selection stay where they are. What has
// another id, key or address is another thing: no button becomes one that does something else while it is pressed.
function patch(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    // Whether something is folded is the reader's own choice.
    if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  let next = old.firstChild;
  for (const node of [...fresh.childNodes]) {
    let same = next;
    while (same && identity(same) !== identity(node)) same = same.nextSibling;
    if (!same) {
      old.insertBefore(node, next);
      continue;
    }
    while (next !== same) next = removed(next);
    patch(same, node);
    next = same.nextSibling;
  }
  while (next) next = removed(next);
}

function identity(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return node.nodeName;
  const names = ["id", "data-key", "action", "href", "class"];
  return [node.nodeName, ...names.map((name) => node.getAttribute(name))].join(" ");
}

function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

async function fetched(address, request = {}) {
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, ...request });
    return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  } catch { return null; }
}

// Validation as one types: the browser's own words, below the field.
for (const form of document.querySelectorAll("[data-validates]")) {
  form.addEventListener("input", ({ target }) => {
    const field = target.closest(".field");
    if (!field || !target.willValidate) return;
    let note = field.querySelector(".wrong");
    if (target.validity.valid) {
      if (note) note.remove();
      target.removeAttribute("aria-invalid");
      return;
    }
    if (!note) {
      note = document.createElement("p");
      note.className = "wrong";
      note.setAttribute("role", "status");
      target.after(note);
    }
    note.textContent = target.validationMessage;
    target.setAttribute("aria-invalid", "true");
  });
}

// The directory picker, without losing what was typed elsewhere in the form.
for (const picker of document.querySelectorAll("[data-picker]")) {
  picker.addEventListener("click", async (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    if ("choose" in link.dataset) {
      const input = document.getElementById("data_path");
      input.value = link.dataset.choose;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.focus();
      return;
    }
    const fresh = await fetched(link.href);
    const entries = fresh && fresh.querySelector("[data-entries]");
    if (entries) picker.querySelector("[data-entries]").replaceWith(entries);
  });
}

// A model is asked without leaving its page.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!("asks" in form.dataset)) return;
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  const fresh = await fetched(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  button.disabled = false;
  const answer = fresh && fresh.querySelector("#try [data-answer]");
  // What the server can't say here, it says on a page of its own.
  if (!answer) return form.submit();
  for (const field of form.querySelectorAll(".field")) {
    const name = field.querySelector("[name]").name;
    const same = fresh.querySelector(`#try [name="${name}"]`);
    for (const note of field.querySelectorAll(".wrong")) note.remove();
    field.querySelector("[name]").removeAttribute("aria-invalid");
    const note = same && same.closest(".field").querySelector(".wrong");
    if (!note) continue;
    field.querySelector(".help").before(note);
    field.querySelector("[name]").setAttribute("aria-invalid", "true");
  }
  document.querySelector("#try [data-answer]").replaceChildren(...answer.childNodes);
});

// What can't be undone is asked for.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-confirm]");
  if (button && !confirm(button.dataset.confirm)) event.preventDefault();
});
