// @ts-check
/** The outcomes that a connection of GraphiQL's tells the subscription that it carries. */

/**
 * @typedef {object} Sink
 * @property {() => void} opened the server is reached
 * @property {(isWaiting: boolean) => void} waits for a connection that other pages of the site have, or not any more
 * @property {(result: Result) => void} next
 * @property {(problem: string | Result | null) => void} ended for good: by itself, or because of a problem
 * @property {(reason: string) => void} lost by the connection, so that one can come back; `reason` is a sentence
 *
 * @typedef {Record<string, any>} Result as GraphQL has it: `data`, `errors`
 *
 * @typedef {object} Operation
 * @property {string} query
 * @property {Record<string, unknown>} [variables]
 * @property {string} [operationName]
 *
 * @typedef {object} Transport
 * @property {string} name
 * @property {(operation: Operation, headers: Record<string, string>, memory: Memory, sink: Sink) => () => void} subscribe
 * starts an operation, or goes on with it from what is in its `memory`; returns what ends it
 *
 * @typedef {object} Memory of one subscription, over all of its connections
 * @property {boolean} [resumes] whether it goes on where it was
 * @property {string} [lastEventId]
 * @property {import("./recovery.js").Recovery | null} [recovery]
 */

export const LOST = "The connection was lost.";
export const RESTARTING = "The server is being restarted.";
