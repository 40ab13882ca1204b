// @ts-check
/** The site's status in words. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, duration, facts, processCells } from "../../../static/operating/site-facts.js";

test("durations and sizes are told in units that one reads at a glance", () => {
  assert.deepEqual([0.4, 119, 120, 7199, 7200, 200000].map(duration), [
    "0 s",
    "119 s",
    "2 min",
    "120 min",
    "2 h",
    "2 days",
  ]);
  assert.deepEqual([0, 2_400_000, 1_500_000_000].map(bytes), ["0 MB", "2 MB", "1.5 GB"]);
});

const process = {
  name: "one:8000 (7)",
  age: 3,
  uptime: 7200,
  connections: 1200,
  listeners: 1100,
  rooms: 5,
  redis: false,
  cpu: 0.256,
  memory: 2e8,
  open_files: 40,
  open_files_max: 1000,
  rates: {},
};
const status = {
  warnings: [],
  database: { ok: true, name: "SQLite", milliseconds: 2.6, problem: "" },
  redis: { text: "ok" },
  log: { rooms: 2, entries: 3000, recent: 100000, is_recent_cut: true },
  queues: {
    push_due: 3,
    push_overdue: 180,
    push_retries: 0,
    search_unindexed: 4,
    search_pending: 1,
    webhooks: 3,
    webhooks_behind: 1200,
    webhooks_failing: 1,
    webhooks_off: 0,
    files: 1e6,
    files_max: 1e9,
  },
  processes: [process, process],
};

test("facts tell of the database, the log and what waits", () => {
  assert.deepEqual(Object.fromEntries(facts(status)), {
    Database: "SQLite, 3 ms",
    Redis: "ok",
    Connections: "2,400",
    Rooms: "2",
    "Entries kept": "3,000",
    "Entries in the last hour": "100,000 or more",
    Search: "5 to be indexed",
    Notifications: "3 due, 3 min late",
    "Notifications that failed": "nothing waits",
    Webhooks: "3 on, 1 failing, 0 off",
    "Webhooks are behind": "1,200 entries",
    Files: "1 MB of 1 GB",
  });
});

test("facts without the database are few", () => {
  const away = { ...status, database: { ...status.database, ok: false }, log: null, queues: null, processes: [] };
  assert.deepEqual(facts(away), [
    ["Database", "does not answer"],
    ["Redis", "ok"],
    ["Connections", "0"],
  ]);
});

test("a process of another release has no rates", () => {
  assert.equal(processCells(process).join("|"), "3 s ago|2 h|1,200|1,100|5|0.0|26 %|200 MB|40 of 1,000|away");
});
