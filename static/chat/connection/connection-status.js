/**
 * Says in words how a connection is, with a button that tries again at once.
 *
 * Holds an element of role "status" and a button; `data-state` follows the connection for the style sheet.
 */
export class ConnectionStatus extends HTMLElement {
  #connection;
  #ticking;

  follow(connection) {
    this.#connection = connection;
    connection.addEventListener("state", () => this.#show());
    this.querySelector("button").addEventListener("click", () => connection.retryNow());
    this.#show();
  }

  #show() {
    const { state } = this.#connection;
    this.dataset.state = state;
    this.querySelector("[role=status]").replaceChildren(...this.#words(state));
    this.querySelector("button").hidden = state !== "waiting";
  }

  #words(state) {
    clearInterval(this.#ticking);
    if (state === "waiting") return ["Offline – trying again", this.#countdown()];
    return [{ open: "Connected", refused: "Not connected" }[state] ?? "Connecting…"];
  }

  #countdown() {
    const countdown = document.createElement("span");
    // A screen reader would otherwise read the status aloud every second.
    countdown.ariaHidden = "true";
    const tick = () => {
      const seconds = Math.max(1, Math.ceil((this.#connection.retryAt - Date.now()) / 1000));
      countdown.textContent = ` in ${seconds} s`;
    };
    tick();
    this.#ticking = setInterval(tick, 1000);
    return countdown;
  }
}
