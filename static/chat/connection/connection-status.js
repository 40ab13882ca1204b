// @ts-check

import { find } from "../elements.js";
import { fill, gettext } from "../translation.js";

/** @import { Connection } from "./connection.js" */

/**
 * Says in words how a connection is, with a button that tries again at once.
 *
 * Holds an element of role "status" and a button; `data-state` follows the connection for the style sheet.
 */
export class ConnectionStatus extends HTMLElement {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticking;

  /** @param {Connection} connection */
  follow(connection) {
    connection.addEventListener("state", () => this.#show(connection));
    this.#button.addEventListener("click", () => connection.retryNow());
    this.#show(connection);
  }

  get #button() {
    return find(this, "button", HTMLButtonElement);
  }

  /** @param {Connection} connection */
  #show(connection) {
    const { state } = connection;
    clearInterval(this.#ticking);
    this.dataset.state = state;
    const words =
      state === "waiting" ? [gettext("Offline – trying again"), this.#countdown(connection)] : [describe(connection)];
    find(this, "[role=status]", HTMLElement).replaceChildren(...words);
    this.#button.hidden = state !== "waiting";
  }

  /** @param {Connection} connection */
  #countdown(connection) {
    const countdown = document.createElement("span");
    // A screen reader would otherwise read the status aloud every second.
    countdown.ariaHidden = "true";
    const tick = () => {
      const seconds = Math.max(1, Math.ceil((connection.retryAt - Date.now()) / 1000));
      countdown.textContent = fill(gettext(" in %(seconds)s s"), { seconds });
    };
    tick();
    this.#ticking = setInterval(tick, 1000);
    return countdown;
  }
}

/**
 * @param {Connection} connection
 * @returns {string}
 */
function describe({ state, byEvents }) {
  if (state === "open") return byEvents ? gettext("Connected, without WebSocket") : gettext("Connected");
  if (state === "paused") return gettext("Paused: too many tabs of this site are open for this connection");
  return state === "refused" ? gettext("Not connected") : gettext("Connecting…");
}
