// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { FileTray } from "../../../../static/chat/files/file-tray.js";
import { pretendRequests, requests, taken } from "./requests.js";

customElements.define("file-tray", FileTray);

/** @type {string[]} */
let told;

beforeEach(() => {
  sessionStorage.clear();
  pretendRequests();
  mock.timers.enable({ apis: ["setTimeout"] });
  told = [];
});
afterEach(() => mock.timers.reset());

/** @param {string[]} names of files that are chosen */
function trayOf(...names) {
  const tray = /** @type {FileTray} */ (document.createElement("file-tray"));
  tray.token = () => "token";
  tray.refused = (words) => told.push(words);
  tray.begin({ url: "/chat/room1/files/", sizeMax: 10, perMessage: 4 }, "files");
  if (names.length > 0) tray.add(names.map((name) => new File(["abc"], name)));
  document.body.replaceChildren(tray);
  return tray;
}

const states = () => [...document.querySelectorAll(".upload")].map((line) => line.getAttribute("data-state"));
const faults = () => [...document.querySelectorAll(".upload-fault")].map(({ textContent }) => textContent);
/** @param {string} selector */
const press = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector)).click();

test("chosen files are uploaded at once, two at a time, with the token", () => {
  const tray = trayOf("a", "b", "c");
  assert.deepEqual(states(), ["uploading", "uploading", "waiting"]);
  assert.equal(requests[0]?.line, "POST /chat/room1/files/");
  assert.equal(requests[0]?.headers["X-CSRFToken"], "token");
  const sent = requests[0]?.body?.get("file");
  assert.ok(sent instanceof File && sent.name === "a");
  assert.ok(tray.uploading);
  requests[0]?.answer(200, taken("a"));
  assert.deepEqual(states(), ["done", "uploading", "uploading"]);
  requests[1]?.answer(201, taken("b"));
  requests[2]?.answer(200, taken("c"));
  assert.ok(!tray.uploading);
  assert.deepEqual(
    tray.take().attachments.map(({ name }) => name),
    ["a", "b", "c"],
  );
  assert.ok(tray.empty && tray.hidden);
});

test("progress is shown", () => {
  trayOf("a");
  const bar = /** @type {HTMLProgressElement} */ (document.querySelector("progress"));
  requests[0]?.advance(3, 12);
  assert.equal(bar.value, 0.25);
  requests[0]?.answer(200, taken("a"));
  assert.ok(bar.hidden);
});

test("file that is too large, or one too many, is not uploaded, and the reader is told", () => {
  const tray = trayOf();
  tray.add([new File(["a".repeat(11)], "large.bin"), new File(["a".repeat(10)], "ok")]);
  assert.deepEqual(told, ["“large.bin” is too large: 11 bytes of 10 bytes."]);
  assert.equal(requests.length, 1);
  tray.add(["1", "2", "3", "4", "5"].map((name) => new File([], name)));
  assert.deepEqual(told.slice(1), ["A message can have 4 files. Send the others with another one."]);
  assert.equal(states().length, 4);
});

test("interrupted upload begins again by itself, later each time, and at once with a connection", () => {
  trayOf("a");
  requests[0]?.fail();
  assert.deepEqual(states(), ["interrupted"]);
  mock.timers.tick(1_000);
  assert.equal(requests.length, 2);
  requests[1]?.answer(502, "<html>Bad gateway</html>");
  mock.timers.tick(1_999);
  assert.equal(requests.length, 2);
  dispatchEvent(new Event("online"));
  assert.equal(requests.length, 3);
  requests[2]?.answer(429, { error: "rate_limited", message: "Too fast.", retry_after: 7 });
  mock.timers.tick(6_999);
  assert.equal(requests.length, 3);
  mock.timers.tick(1);
  requests[3]?.answer(200, taken("a"));
  assert.deepEqual([states(), faults()], [["done"], [""]]);
});

test("refused upload says why, and begins again only when the reader wants it", () => {
  trayOf("a", "b", "c");
  requests[0]?.answer(413, { error: "file_too_large", message: "The file is too large." });
  requests[1]?.answer(403, "<html>");
  assert.deepEqual(faults(), ["The file is too large.", "The upload failed.", ""]);
  mock.timers.tick(100_000);
  assert.deepEqual(states(), ["refused", "refused", "uploading"]);
  press("button.quiet:not(.upload-remove)");
  assert.equal(requests.length, 4);
});

test("file that can’t be read is refused, and does not begin again by itself", async () => {
  const tray = trayOf();
  const folder = new File(["abc"], "folder");
  folder.slice = () => Object.assign(new Blob(), { arrayBuffer: () => Promise.reject(new Error("NotReadableError")) });
  tray.add([folder]);
  requests[0]?.fail();
  await Promise.resolve().then(() => Promise.resolve());
  assert.deepEqual(states(), ["refused"]);
  assert.match(faults()[0] ?? "", /can’t be read/);
  mock.timers.tick(100_000);
  assert.equal(requests.length, 1);
});

test("answer of 200 that is no attachment is a failure", () => {
  trayOf("a");
  requests[0]?.answer(200, "{}");
  assert.deepEqual(states(), ["refused"]);
});

test("cancelled upload ends and leaves its turn to the next", () => {
  const tray = trayOf("a", "b", "c");
  press(".upload-remove");
  assert.ok(requests[0]?.aborted);
  assert.equal(requests.length, 3);
  assert.deepEqual(states(), ["uploading", "uploading"]);
  press(".upload-remove");
  press(".upload-remove");
  assert.ok(tray.empty && tray.hidden);
  mock.timers.tick(100_000);
  assert.equal(requests.length, 3);
});

test("uploaded files are there again after a reload, and others aren't", () => {
  trayOf("a", "b");
  requests[0]?.answer(200, taken("a"));
  const tray = trayOf();
  assert.deepEqual(states(), ["done"]);
  assert.deepEqual(tray.take().attachments, [taken("a")]);
  assert.ok(trayOf().empty);
});

test("files of a message that was refused come back", () => {
  const tray = trayOf("a");
  requests[0]?.answer(200, taken("a"));
  const batch = tray.take();
  tray.restore(batch);
  assert.deepEqual(states(), ["done"]);
  assert.ok(batch.empty);
});
