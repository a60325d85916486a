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
    document.getElementById("state").replaceChildren(...state.childNodes);
    if (!state.dataset.follow) {
      source.close();
      const heading = fresh.querySelector(".heading");
      if (heading) document.querySelector(".heading").replaceWith(heading);
    }
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

// The list of jobs, every three seconds while it is looked at and nothing in it has the focus.
const live = document.querySelector("[data-live]");
if (live) {
  setInterval(async () => {
    if (document.hidden || live.contains(document.activeElement)) return;
    const fresh = await fetched(location.href);
    const rows = fresh && fresh.getElementById(live.id);
    if (rows && rows.innerHTML !== live.innerHTML) live.replaceChildren(...rows.childNodes);
  }, 3000);
}

async function fetched(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
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

// What can't be undone is asked for.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-confirm]");
  if (button && !confirm(button.dataset.confirm)) event.preventDefault();
});
