// @ts-check
/** Subscriptions as server-sent events, where a proxy lets no WebSocket through: GraphQL over SSE. */

import { takeSlot } from "../chat/connection/stream-slot.js";
import { LOST, RESTARTING } from "./outcomes.js";

/** @import { Memory, Operation, Sink } from "./outcomes.js" */

/** Statuses of a server that may answer otherwise in a moment. */
const PASSING = new Set([429, 502, 503, 504]);

export class EventStreamTransport {
  name = "server-sent events";
  hasOpened = false;

  #url;

  /** @param {string} url */
  constructor(url) {
    this.#url = url;
  }

  /**
   * @param {Operation} operation
   * @param {Record<string, string>} headers
   * @param {Memory} memory
   * @param {Sink} sink
   * @returns {() => void}
   */
  subscribe(operation, headers, memory, sink) {
    const stop = new AbortController();
    const run = () => this.#run(operation, headers, memory, sink, stop.signal);
    const slot = takeSlot({
      waits: () => sink.waits(true),
      taken: () => {
        sink.waits(false);
        run().catch(() => stop.signal.aborted || sink.lost(LOST));
      },
      lost: () => sink.lost(LOST),
    });
    return () => {
      stop.abort();
      slot.leave();
    };
  }

  /**
   * @param {Operation} operation
   * @param {Record<string, string>} headers
   * @param {Memory} memory
   * @param {Sink} sink
   * @param {AbortSignal} signal
   */
  async #run(operation, headers, memory, sink, signal) {
    /** @type {Record<string, string>} */
    const sent = { ...headers, "Content-Type": "application/json", Accept: "text/event-stream" };
    if (memory.lastEventId) sent["Last-Event-ID"] = memory.lastEventId;
    const answer = await fetch(this.#url, { method: "POST", headers: sent, body: JSON.stringify(operation), signal });
    if (!answer.ok || !answer.body) {
      if (PASSING.has(answer.status)) return sink.lost(`The server answered ${answer.status}.`);
      return sink.ended(await answer.json().catch(() => `The server answered ${answer.status}.`));
    }
    this.hasOpened = true;
    sink.opened();
    let restarting = false;
    for await (const { event, data, id, retry } of eventsIn(answer.body.pipeThrough(new TextDecoderStream()))) {
      if (signal.aborted) return;
      if (id) memory.lastEventId = id;
      memory.resumes = memory.lastEventId !== undefined;
      if (event === "next") sink.next(JSON.parse(data));
      if (event === "complete") return sink.ended(null);
      restarting ||= retry !== "";
    }
    sink.lost(restarting ? RESTARTING : LOST);
  }
}

/**
 * The events of a stream: its blocks of lines, also those without an `event`.
 *
 * @param {ReadableStream<string>} stream
 */
async function* eventsIn(stream) {
  const reader = stream.getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (text + value).split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) yield parse(block);
  }
}

/** @param {string} block */
function parse(block) {
  const event = { event: "", data: "", id: "", retry: "" };
  for (const line of block.split("\n")) {
    const [, name, value] = /^(event|data|id|retry): ?(.*)$/.exec(line) ?? [];
    if (name) event[/** @type {keyof typeof event} */ (name)] = value ?? "";
  }
  return event;
}
