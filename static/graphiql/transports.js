// @ts-check
/** The way by which a subscription's next connection is tried. */

/** @import { Transport } from "./outcomes.js" */

/** WebSockets that fail to open in a row before events are tried. */
const SOCKETS_TRIED = 2;

/**
 * WebSockets, unless none has ever opened: then events are tried in turn with them, and kept to once they work.
 *
 * @param {Transport & { hasOpened: boolean }} sockets
 * @param {Transport & { hasOpened: boolean }} events
 */
export function chooser(sockets, events) {
  let tried = 0;
  return () => {
    if (sockets.hasOpened) return sockets;
    if (events.hasOpened) return events;
    const turn = tried++ - SOCKETS_TRIED;
    return turn >= 0 && turn % 2 === 0 ? events : sockets;
  };
}
