// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Connection } from "../../../../static/chat/connection/connection.js";
import { FakeEventSource } from "../../event-sources.js";
import { FakeSocket } from "../../sockets.js";

const NORMAL = 1000;
const ABNORMAL = 1006;
const RESTARTING = 1012;

/** Whether the site answers over HTTP. */
let answers = true;

beforeEach(() => {
  answers = true;
  mock.method(globalThis, "fetch", async () => {
    if (!answers) throw new TypeError("Failed to fetch");
    return new Response("{}");
  });
  FakeSocket.install();
  FakeEventSource.install();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  mock.method(Math, "random", () => 0.5);
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

/** What follows from an answer of the site has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A connection whose first socket the server has accepted. */
function opened() {
  const connection = new Connection(() => "ws://localhost/");
  connection.open();
  FakeSocket.last.accept();
  return connection;
}

test("connection is open once the server accepts", () => {
  assert.equal(opened().state, "open");
});

test("connection passes on frames that are JSON objects and ignores others", () => {
  const connection = opened();
  /** @type {unknown[]} */
  const frames = [];
  connection.addEventListener("frame", (event) => frames.push(/** @type {CustomEvent} */ (event).detail));

  for (const text of ["[]", "null", "1", '"text"', "{", "", '{"message":"hello"}']) FakeSocket.last.receive(text);

  assert.deepEqual(frames, [{ message: "hello" }]);
});

test("connection sends nothing before it is open", () => {
  const connection = new Connection(() => "ws://localhost/");
  connection.open();
  assert.equal(connection.send({ message: "hello" }), false);
  FakeSocket.last.accept();
  assert.equal(connection.send({ message: "hello" }), true);
  assert.deepEqual(FakeSocket.last.sent, [{ message: "hello" }]);
});

for (const code of [4400, 4403]) {
  test(`connection does not reconnect after close ${code}`, () => {
    const connection = opened();
    FakeSocket.last.end(code);
    mock.timers.tick(120_000);
    assert.equal(connection.state, "refused");
    assert.equal(connection.closeCode, code);
    assert.equal(FakeSocket.all.length, 1);
  });
}

for (const [code, least, most] of [
  [NORMAL, 200, 500],
  [ABNORMAL, 200, 500],
  [RESTARTING, 1_500, 3_100],
]) {
  test(`connection reconnects within ${most} ms after close ${code}`, () => {
    const connection = opened();
    FakeSocket.last.end(Number(code));
    assert.equal(connection.state, "waiting");
    mock.timers.tick(Number(least));
    assert.equal(FakeSocket.all.length, 1);
    mock.timers.tick(Number(most) - Number(least));
    assert.equal(FakeSocket.all.length, 2);
  });
}

test("pauses of the connection between attempts grow", async () => {
  const connection = opened();
  const pauses = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    if (connection.byEvents) FakeEventSource.last.fail();
    else FakeSocket.last.end(ABNORMAL);
    await settled();
    pauses.push(connection.retryAt - Date.now());
    mock.timers.tick(30_000);
  }
  assert.deepEqual(pauses, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
});

test("connection gives up an attempt without an answer and waits for another", async () => {
  const connection = new Connection(() => "ws://localhost/");
  connection.open();
  mock.timers.tick(10_000);
  assert.equal(FakeSocket.last.closedByPage, true);
  FakeSocket.last.end(ABNORMAL);
  await settled();
  assert.equal(connection.state, "waiting");
});

test("renewed connection listens to its new socket alone", () => {
  const connection = opened();
  const old = FakeSocket.last;
  connection.renew();
  mock.timers.tick(500);
  FakeSocket.last.accept();
  old.end(ABNORMAL);
  assert.equal(connection.state, "open");
});

/** Fails the attempt that is under way, and waits until the next one is made. */
async function failAndWait() {
  FakeSocket.last.end(ABNORMAL);
  await settled();
  mock.timers.tick(60_000);
}

test("connection tries events once two WebSockets have failed to open, and then in turn", async () => {
  const connection = new Connection(() => "ws://localhost/ws/chat/a/");
  connection.open();
  await failAndWait();
  assert.equal(FakeEventSource.all.length, 0);
  await failAndWait();
  assert.deepEqual([connection.byEvents, FakeEventSource.all.length, FakeSocket.all.length], [true, 1, 2]);
  FakeEventSource.last.fail();
  mock.timers.tick(60_000);
  assert.deepEqual([connection.byEvents, FakeSocket.all.length], [false, 3]);
  await failAndWait();
  FakeEventSource.last.accept();
  assert.deepEqual([connection.byEvents, connection.state, FakeEventSource.all.length], [true, "open", 2]);
});

test("connection by events that is lost tries one WebSocket before it comes back", async () => {
  const connection = new Connection(() => "ws://localhost/ws/chat/a/");
  connection.open();
  await failAndWait();
  await failAndWait();
  FakeEventSource.last.accept();
  FakeEventSource.last.fail();
  mock.timers.tick(60_000);
  assert.equal(connection.byEvents, false);
  await failAndWait();
  assert.equal(connection.byEvents, true);
});

test("connection whose WebSocket has opened once tries events later", async () => {
  const connection = opened();
  for (let attempt = 0; attempt < 4; attempt += 1) await failAndWait();
  assert.deepEqual([connection.byEvents, FakeEventSource.all.length, FakeSocket.all.length], [false, 0, 5]);
  await failAndWait();
  assert.deepEqual([connection.byEvents, FakeEventSource.all.length], [true, 1]);
});

test("connection doesn't try events while the site doesn't answer over HTTP either", async () => {
  const connection = opened();
  answers = false;
  for (let attempt = 0; attempt < 9; attempt += 1) await failAndWait();
  assert.deepEqual([connection.byEvents, FakeEventSource.all.length, FakeSocket.all.length], [false, 0, 10]);
  answers = true;
  FakeSocket.last.accept();
  assert.equal(connection.state, "open");
});

test("connection by events looks for a WebSocket within seconds on a page that had one open before", async () => {
  const connection = opened();
  for (let attempt = 0; attempt < 5; attempt += 1) await failAndWait();
  FakeEventSource.last.accept();
  assert.equal(connection.byEvents, true);
  const before = FakeSocket.all.length;
  mock.timers.tick(5_000);
  assert.equal(FakeSocket.all.length, before + 1);
});

/** A connection by events, since no WebSocket has opened. */
async function byEvents() {
  const connection = new Connection(() => "ws://localhost/ws/chat/a/");
  connection.open();
  await failAndWait();
  await failAndWait();
  FakeEventSource.last.accept();
  return connection;
}

/**
 * Time goes by, in which frames come as events.
 *
 * @param {number} seconds
 */
function listen(seconds) {
  for (let passed = 0; passed < seconds; passed += 10) {
    mock.timers.tick(10_000);
    FakeEventSource.last.receive({ pong: 1 });
  }
}

test("connection by events goes back to a WebSocket once one opens", async () => {
  const connection = await byEvents();
  listen(30);
  assert.deepEqual([connection.state, FakeSocket.all.length], ["open", 3]);
  const probe = FakeSocket.last;
  probe.accept();
  assert.deepEqual([probe.closedByPage, FakeEventSource.last.closedByPage], [true, true]);
  assert.deepEqual([connection.byEvents, connection.state, FakeSocket.all.length], [false, "connecting", 4]);
  FakeSocket.last.accept();
  assert.equal(connection.state, "open");
});

test("connection by events looks for a WebSocket ever more rarely, without a pause in what it hears", async () => {
  const connection = await byEvents();
  const probed = [];
  for (let minute = 0; minute < 60; minute += 1) {
    const before = FakeSocket.all.length;
    listen(60);
    if (FakeSocket.all.length > before) {
      probed.push(minute);
      FakeSocket.last.end(ABNORMAL);
    }
  }
  assert.deepEqual(probed, [0, 1, 3, 6, 12, 24, 36, 48]);
  assert.deepEqual([connection.state, FakeEventSource.all.length], ["open", 1]);
});

test("connection by events gives up a probe without an answer", async () => {
  const connection = await byEvents();
  listen(40);
  assert.equal(FakeSocket.last.closedByPage, true);
  assert.deepEqual([connection.byEvents, connection.state], [true, "open"]);
});

test("connection by events that is lost while it probes goes on as one that is lost", async () => {
  const connection = await byEvents();
  listen(30);
  const probe = FakeSocket.last;
  FakeEventSource.last.fail();
  probe.accept();
  assert.deepEqual([probe.closedByPage, connection.state], [true, "waiting"]);
});

test("connection by events is paused while there is no slot for them, unless it has something to send", async () => {
  mock.getter(document, "visibilityState", () => "hidden");
  const connection = new Connection(() => "ws://localhost/ws/chat/a/");
  connection.open();
  await failAndWait();
  await failAndWait();
  await settled();
  assert.deepEqual([connection.state, FakeEventSource.all.length], ["paused", 0]);
  mock.timers.tick(10_000);
  assert.deepEqual([connection.state, connection.send({ message: "hello" })], ["paused", false]);
  connection.insist();
  assert.deepEqual([connection.state, FakeEventSource.all.length], ["connecting", 1]);
  FakeEventSource.last.accept();
  assert.equal(connection.state, "open");
  mock.timers.tick(10_000); // hidden, and without locks
  assert.deepEqual([connection.state, FakeEventSource.last.closedByPage], ["waiting", true]);
});
