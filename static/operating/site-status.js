// @ts-check
/** The page of the site's status: asks for it every few seconds, as long as somebody sees the page. */

import { find } from "../chat/elements.js";
import { duration, facts, processCells } from "./site-facts.js";

const INTERVAL = 5000; // milliseconds from one answer to the next question
const TIMEOUT = 10000; // milliseconds that the server has, to answer
const SILENT_AFTER = 30; // seconds, as in chat/status/warnings.py

/** @typedef {import("./site-facts.js").Status} Status */

const page = find(document, "#site-status", HTMLElement);
const told = find(page, "#site-told", HTMLElement);
const warnings = find(page, "#site-warnings", HTMLUListElement);
const list = find(page, "#site-facts", HTMLElement);
const rows = find(page, "#site-processes tbody", HTMLElement);

let answeredAt = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let isAsking = false;

async function ask() {
  if (isAsking) return;
  clearTimeout(timer);
  isAsking = true;
  try {
    const answer = await fetch(page.dataset.url ?? "", {
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(TIMEOUT),
      redirect: "manual", // to the login
    });
    if (answer.type === "opaqueredirect" || answer.status === 403) {
      say("You are logged out, or no member of the staff any more. Load the page again to log in.", true);
      return;
    }
    if (!answer.ok) throw new Error(`${answer.status}`);
    show(await answer.json());
    answeredAt = Date.now();
    say(`As of ${new Date().toLocaleTimeString()}. Updates by itself.`, false);
  } catch {
    const since = answeredAt ? ` What is below is ${duration((Date.now() - answeredAt) / 1000)} old.` : "";
    say(`The server can’t be reached. Trying again.${since}`, true);
  } finally {
    isAsking = false;
  }
  if (!document.hidden) timer = setTimeout(ask, INTERVAL);
}

/**
 * @param {string} text
 * @param {boolean} isLate
 */
function say(text, isLate) {
  told.textContent = text;
  told.classList.toggle("is-late", isLate);
}

/** @param {Status} status */
function show(status) {
  const lines = status.warnings.map((one) => warning(one.of ? `${one.of}: ${one.text}` : one.text, one.advice));
  if (lines.length === 0) lines.push(line("is-well", "None: all is well."));
  // Only where they have changed, so that they aren't read out every few seconds.
  if (lines.map((one) => one.textContent).join() !== [...warnings.children].map((one) => one.textContent).join())
    warnings.replaceChildren(...lines);
  list.replaceChildren(...facts(status).map(([name, value]) => fact(name, value)));
  rows.replaceChildren(...status.processes.map(row));
}

/**
 * @param {string} text
 * @param {string} advice
 */
function warning(text, advice) {
  const item = document.createElement("li");
  const strong = document.createElement("strong");
  strong.textContent = text;
  item.append(strong, advice);
  return item;
}

/**
 * @param {string} className
 * @param {string} text
 */
function line(className, text) {
  const item = document.createElement("li");
  item.className = className;
  item.textContent = text;
  return item;
}

/**
 * @param {string} name
 * @param {string} value
 */
function fact(name, value) {
  const group = document.createElement("div");
  const term = document.createElement("dt");
  const description = document.createElement("dd");
  term.textContent = name;
  description.textContent = value;
  group.append(term, description);
  return group;
}

/** @param {Status["processes"][number]} process */
function row(process) {
  const found = document.createElement("tr");
  found.classList.toggle("is-silent", process.age > SILENT_AFTER);
  const name = document.createElement("th");
  name.scope = "row";
  name.textContent = process.name;
  found.append(name);
  for (const text of processCells(process)) found.insertCell().textContent = text;
  return found;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else ask();
});
ask();
