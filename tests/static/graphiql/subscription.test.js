// @ts-check
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Running } from "../../../static/graphiql/running.js";
import { KEPT, Subscription } from "../../../static/graphiql/subscription.js";
import { chooser } from "../../../static/graphiql/transports.js";

/** @import { Memory, Sink } from "../../../static/graphiql/outcomes.js" */

const LONG = 60_000; // milliseconds: more than any pause

/** A transport whose connections the test plays. */
class FakeTransport {
  name = "WebSocket";
  hasOpened = false;
  blocked = 0;
  /** @type {(Sink & { memory: Memory, isLeft: boolean })[]} */
  connections = [];

  /**
   * @param {unknown} _operation
   * @param {unknown} _headers
   * @param {Memory} memory
   * @param {Sink} sink
   */
  subscribe(_operation, _headers, memory, sink) {
    const connection = { ...sink, memory, isLeft: false };
    this.connections.push(connection);
    return () => {
      connection.isLeft = true;
    };
  }

  get last() {
    const last = this.connections.at(-1);
    assert.ok(last);
    return last;
  }
}

/** @type {FakeTransport} */
let transport;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  transport = new FakeTransport();
});

function subscribe() {
  return new Subscription({ query: "" }, {}, () => transport);
}

/** @param {Subscription} subscription */
function notes({ lines }) {
  return lines.map(({ note, result }) => note ?? result?.data);
}

test("subscription shows its results, the newest first, and keeps the last of them", () => {
  const subscription = subscribe();
  transport.last.opened();
  for (let number = 1; number <= KEPT + 5; number += 1) transport.last.next({ data: number });
  assert.equal(subscription.count, KEPT + 5);
  assert.equal(subscription.lines.length, KEPT);
  assert.equal(subscription.lines[0]?.result?.data, KEPT + 5);
  subscription.clear();
  assert.deepEqual([subscription.count, subscription.lines], [0, []]);
});

test("subscription tells of a lost connection, and of whether what it missed comes", () => {
  for (const [resumes, words] of /** @type {[boolean, string][]} */ ([
    [true, "Connected again. All that came meanwhile follows."],
    [false, "Connected again. What came meanwhile isn't shown."],
  ])) {
    const subscription = subscribe();
    transport.last.opened();
    transport.last.next({ data: 1 });
    const first = transport.last;
    first.lost("The connection was lost.");
    assert.equal(subscription.state, "reconnecting");
    mock.timers.tick(500);
    assert.notEqual(transport.last, first);
    transport.last.lost("The connection was lost.");
    first.next({ data: "late" });
    mock.timers.tick(LONG);
    transport.last.memory.resumes = resumes;
    transport.last.opened();
    assert.equal(subscription.state, "open");
    assert.deepEqual(notes(subscription), [words, "The connection was lost. Connecting again …", 1]);
  }
});

test("subscription that isn't answered tries again", () => {
  const subscription = subscribe();
  mock.timers.tick(LONG);
  mock.timers.tick(LONG);
  assert.equal(subscription.state, "connecting");
  assert.equal(transport.connections[0]?.isLeft, true);
  assert.ok(transport.connections.length > 1);
});

test("subscription that waits for a connection of other pages is paused, and gives nothing up meanwhile", () => {
  const subscription = subscribe();
  transport.last.waits(true);
  mock.timers.tick(LONG);
  assert.deepEqual([subscription.isPaused, transport.connections.length], [true, 1]);
  transport.last.waits(false);
  transport.last.opened();
  assert.deepEqual([subscription.isPaused, subscription.state], [false, "open"]);
});

test("subscription that ends says why, and comes back no more", () => {
  for (const [problem, shown] of [
    ["The server closed the connection (4401).", ["The server closed the connection (4401)."]],
    [{ data: "errors" }, ["errors"]],
    [null, []],
  ]) {
    const subscription = subscribe();
    let ended = 0;
    subscription.addEventListener("end", () => {
      ended += 1;
    });
    transport.last.opened();
    transport.last.ended(/** @type {any} */ (problem));
    const { length } = transport.connections;
    mock.timers.tick(LONG);
    assert.deepEqual([subscription.state, ended, transport.connections.length], ["ended", 1, length]);
    assert.deepEqual(notes(subscription), shown);
  }
});

test("subscription that is stopped leaves its connection, or the wait for one", () => {
  const open = subscribe();
  open.stop();
  assert.equal(transport.last.isLeft, true);
  const waiting = subscribe();
  transport.last.opened();
  transport.last.lost("The connection was lost.");
  waiting.stop();
  mock.timers.tick(LONG);
  assert.equal(transport.connections.length, 2);
  assert.equal(waiting.state, "ended");
});

test("events are tried after two websockets in vain while the site answered, then both in turn, until one opens", () => {
  const [sockets, events] = [new FakeTransport(), new FakeTransport()];
  events.name = "server-sent events";
  const choose = chooser(sockets, events);
  const chosen = () => Array.from({ length: 5 }, () => choose() === events);
  assert.deepEqual(chosen(), [false, false, false, false, false]);
  sockets.blocked = 2;
  assert.deepEqual(chosen(), [true, false, true, false, true]);
  events.hasOpened = true;
  assert.equal(choose(), events);
  sockets.hasOpened = true;
  assert.equal(choose(), sockets);
});

/** GraphiQL's store, as far as `Running` deals with it. */
function graphiql() {
  const running = new Running(() => transport);
  const tabs = ["one", "two"].map((id) => ({ id, title: id }));
  /** @type {{ unsubscribe: () => void } | null} */
  let subscription = null;
  const observer = { next: () => {}, error: () => {}, complete: () => {} };
  /** @type {Record<string, any>} */
  const actions = {
    changeTab: (/** @type {number} */ activeTabIndex) => {
      actions.stop();
      running.tabs = { tabs, activeTabIndex };
    },
    addTab: () => {
      tabs.push({ id: "new", title: "new" });
      running.tabs = { tabs, activeTabIndex: tabs.length - 1 };
    },
    closeTab: (/** @type {number} */ index) => {
      if (running.tabs.activeTabIndex === index) actions.stop();
      tabs.splice(index, 1);
      running.tabs = { tabs, activeTabIndex: 0 };
    },
    stop: () => {
      subscription?.unsubscribe();
      subscription = null;
    },
    run: () => {
      subscription = (running.returned() ?? running.begin({ query: "" }, {})).subscribe(observer);
    },
  };
  running.watch(actions, { tabs, activeTabIndex: 0 });
  return { running, actions, isRunning: () => subscription !== null };
}

test("subscription of a tab goes on while another is in front, and is taken up when one comes back", () => {
  const { running, actions, isRunning } = graphiql();
  actions.run();
  transport.last.opened();
  for (const [leave, title] of /** @type {[() => void, string][]} */ ([
    [() => actions.changeTab(1), "two"],
    [() => actions.addTab(), "new"],
  ])) {
    leave();
    assert.deepEqual([isRunning(), running.current, running.others.map(({ id }) => id)], [false, null, ["one"]]);
    assert.equal(running.tabs.tabs[running.tabs.activeTabIndex]?.title, title);
    transport.last.next({ data: title });
    actions.changeTab(0);
    assert.deepEqual([isRunning(), running.others], [true, []]);
  }
  assert.equal(running.current?.count, 2);
  assert.equal(transport.connections.length, 1);
  actions.stop();
  assert.equal(running.current?.state, "ended");
});

test("subscription ends with its tab, and when something else is run there", () => {
  const { running, actions } = graphiql();
  actions.run();
  actions.changeTab(1);
  actions.run();
  actions.closeTab(0);
  assert.deepEqual(
    transport.connections.map(({ isLeft }) => isLeft),
    [true, false],
  );
  assert.equal(running.current?.state, "connecting");
  running.forget();
  assert.equal(running.current, null);
  assert.equal(transport.last.isLeft, true);
});
