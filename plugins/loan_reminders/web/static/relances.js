// Comfort only: every page works without this file.
"use strict";

// The theme of Airflow's own switch: the class of the page around ours, or what the switch keeps in the browser.
function followTheme() {
  let around = null;
  try {
    around = window.parent !== window ? window.parent.document.documentElement : null;
  } catch { /* a page of another origin is around ours: the system's theme stays */ }
  const show = () => {
    const kept = around ? (around.classList.contains("dark") ? "dark" : "light") : localStorage.getItem("theme");
    if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
    else delete document.documentElement.dataset.theme;
  };
  show();
  if (around) new MutationObserver(show).observe(around, { attributes: true, attributeFilter: ["class"] });
  else window.addEventListener("storage", show);
}
followTheme();

document.addEventListener("DOMContentLoaded", () => {
  // On a phone the tabs are wider than the page: the current one is moved into sight, the page is not.
  const tabs = document.querySelector(".tabs"), tab = document.querySelector(".tabs [aria-current]");
  if (tab) tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2;

  // The field where a scanner writes: the page says which, and it is ready for the next one.
  const field = document.querySelector("[data-focus]");
  if (field) { field.focus(); if (field.select) field.select(); }

  // A browser in another language writes a day in another order: beside it, the same day in French words, or that order.
  const days = new Intl.DateTimeFormat("fr", { dateStyle: "full", timeZone: "UTC" });
  const languages = [navigator.language, Intl.DateTimeFormat().resolvedOptions().locale];
  if (!languages.every((language) => language.startsWith("fr"))) {
    const parts = { day: "jour", month: "mois", year: "année" };
    const written = new Intl.DateTimeFormat(navigator.language).formatToParts().map((part) => parts[part.type]);
    const order = written.filter(Boolean).join("/");
    for (const [number, day] of document.querySelectorAll("input[type=date]").entries()) {
      const words = document.createElement("span");
      words.className = "said-day";
      words.id = `jour-${number}`;
      day.setAttribute("aria-describedby", words.id);
      day.after(words);
      const say = () => { words.textContent = day.value ? days.format(day.valueAsDate) : order; };
      day.addEventListener("input", say);
      say();
    }
  }

  // A choice that only filters sends its form at once.
  for (const select of document.querySelectorAll("[data-send-on-change]")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }

  // A form that was sent says so, and is not sent a second time; coming back to the page makes it ready again.
  for (const form of document.querySelectorAll("form[method=post]:not([data-download])")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "1";
      setTimeout(() => { for (const button of form.querySelectorAll("button")) button.disabled = true; });
    });
  }
  // A form whose answer is a file leaves the page where it is: a second click would call the file back before it came.
  for (const form of document.querySelectorAll("form[data-download]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "1";
      setTimeout(() => { for (const button of form.querySelectorAll("button")) button.disabled = true; });
      setTimeout(() => {
        delete form.dataset.sent;
        for (const button of form.querySelectorAll("button")) button.disabled = false;
      }, 5000);
    });
  }
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("button")) button.disabled = false;
    }
  });

  // A link to Airflow's own pages opens in the window around our frame, not within it; the frame may not lead it there.
  for (const way of document.querySelectorAll("a[data-airflow]")) {
    way.addEventListener("click", (event) => {
      if (window.parent === window) return;
      try {
        const there = window.parent.document.createElement("a");
        there.href = way.href;
        event.preventDefault();
        there.click();
      } catch { /* a page of another origin is around ours: the link stays in the frame */ }
    });
  }

  // A frame that is filled by a form is filled at once.
  const open = document.querySelector("form[data-open]");
  if (open) open.requestSubmit();

  // Long work tells how far it is: its page is asked for again until it is done.
  const progress = document.querySelector("[data-reload-after]");
  if (progress) setTimeout(() => location.reload(), Number(progress.dataset.reloadAfter) * 1000);
});
