// @ts-check
/** The way by which a subscription's next connection is tried. */

/** @import { Transport } from "./outcomes.js" */

/** WebSockets that fail to open while the site answers, before events are tried. */
const SOCKETS_TRIED = 2;

/**
 * WebSockets, unless none has ever opened: then events are tried in turn with them, and kept to once they work.
 *
 * @param {Transport & { hasOpened: boolean, blocked: number }} sockets
 * @param {Transport & { hasOpened: boolean }} events
 */
export function chooser(sockets, events) {
  let last = sockets.name;
  return () => {
    if (sockets.hasOpened) return sockets;
    if (events.hasOpened) return events;
    const next = sockets.blocked >= SOCKETS_TRIED && last === sockets.name ? events : sockets;
    last = next.name;
    return next;
  };
}
