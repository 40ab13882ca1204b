// @ts-check
/** The site's status in words. */

/**
 * @typedef {object} Process
 * @property {string} name
 * @property {number} age seconds since it was heard
 * @property {number} uptime
 * @property {number} connections
 * @property {number} listeners
 * @property {number} rooms
 * @property {boolean} redis
 * @property {number} cpu
 * @property {number} memory
 * @property {number} open_files
 * @property {number} open_files_max
 * @property {Record<string, number>} rates
 */

/**
 * The answer of /admin/site/state/: see docs/operating.md.
 *
 * @typedef {object} Status
 * @property {{ alert: string, of: string, text: string, advice: string }[]} warnings
 * @property {{ ok: boolean, name: string, milliseconds: number, problem: string }} database
 * @property {{ text: string }} redis
 * @property {{ rooms: number, entries: number, recent: number, is_recent_cut: boolean } | null} log
 * @property {{ push_due: number, push_overdue: number, push_retries: number, search_unindexed: number,
 *   search_pending: number, webhooks: number, webhooks_behind: number, webhooks_failing: number, webhooks_off: number,
 *   files: number, files_max: number } | null} queues
 * @property {Process[]} processes
 */

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

/** @param {number} count */
export function bytes(count) {
  if (count < 1e9) return `${(count / 1e6).toLocaleString("en", { maximumFractionDigits: 0 })} MB`;
  return `${(count / 1e9).toLocaleString("en", { maximumFractionDigits: 1 })} GB`;
}

/** @param {number} count */
const number = (count) => count.toLocaleString("en");

/**
 * Names and values, in the order in which they are shown.
 *
 * @param {Status} status
 * @returns {[string, string][]}
 */
export function facts(status) {
  const { database, log, queues } = status;
  /** @type {[string, string][]} */
  const found = [
    ["Database", database.ok ? `${database.name}, ${Math.round(database.milliseconds)} ms` : "does not answer"],
    ["Redis", status.redis.text],
    ["Connections", number(status.processes.reduce((sum, one) => sum + one.connections, 0))],
  ];
  if (log) {
    found.push(
      ["Rooms", number(log.rooms)],
      ["Entries kept", number(log.entries)],
      ["Entries in the last hour", `${number(log.recent)}${log.is_recent_cut ? " or more" : ""}`],
    );
  }
  if (queues) {
    found.push(
      ["Search", pending(queues.search_unindexed + queues.search_pending, "to be indexed")],
      ["Notifications", pending(queues.push_due, `due${late(queues.push_overdue)}`)],
      ["Notifications that failed", pending(queues.push_retries, "to be tried again")],
      [
        "Webhooks",
        `${number(queues.webhooks)} on, ${number(queues.webhooks_failing)} failing, ${number(queues.webhooks_off)} off`,
      ],
      ["Webhooks are behind", pending(queues.webhooks_behind, queues.webhooks_behind === 1 ? "entry" : "entries")],
      ["Files", `${bytes(queues.files)} of ${bytes(queues.files_max)}`],
    );
  }
  return found;
}

/**
 * @param {number} count
 * @param {string} what
 */
function pending(count, what) {
  return count ? `${number(count)} ${what}` : "nothing waits";
}

/** @param {number} seconds */
function late(seconds) {
  return seconds >= 60 ? `, ${duration(seconds)} late` : "";
}

/**
 * The cells of a process's row, after its name.
 *
 * @param {Process} process
 */
export function processCells(process) {
  return [
    `${duration(process.age)} ago`,
    duration(process.uptime),
    number(process.connections),
    number(process.listeners),
    number(process.rooms),
    (process.rates.posts ?? 0).toFixed(1),
    `${Math.round(process.cpu * 100)} %`,
    bytes(process.memory),
    `${number(process.open_files)} of ${number(process.open_files_max)}`,
    process.redis ? "ok" : "away",
  ];
}
