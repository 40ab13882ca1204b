// npm subscriptions-transport-ws, which speaks the older subprotocol
import { SubscriptionClient } from "subscriptions-transport-ws";
import WebSocket from "ws";
import { run, url } from "./line.mjs";

/** The client may close one that is still connecting, without listening for the error that this brings. */
class Socket extends WebSocket {
  constructor(...about) {
    super(...about);
    this.on("error", () => {});
  }
}

const client = new SubscriptionClient(url, { reconnect: true }, Socket);

function listen(query, variables, next) {
  return new Promise((ended) => {
    const subscription = client
      .request({ query, variables })
      .subscribe({ next: ({ data }) => next(data), error: ended, complete: ended });
    // It would subscribe again by itself, with the position of this time.
    const off = client.onDisconnected(() => {
      off();
      subscription.unsubscribe();
      ended();
    });
  });
}

await run({
  listen,
  post: (query, variables) =>
    new Promise((answered, failed) => {
      const give = (data) => answered(data);
      listen(query, variables, give).then(() => failed(new Error("disconnected")));
    }),
});
