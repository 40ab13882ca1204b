// npm @urql/core, over graphql-ws
import { Client, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { run, url } from "./line.mjs";

const socket = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
const client = new Client({
  url: url.replace("ws", "http"),
  exchanges: [
    subscriptionExchange({
      enableAllOperations: true,
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
      }),
    }),
  ],
});

await run({
  listen: (query, variables, next) =>
    new Promise((ended) => {
      const subscription = client.subscription(query, variables).subscribe(({ data, error }) => {
        if (!error) return next(data);
        subscription.unsubscribe();
        return ended();
      });
    }),
  async post(query, variables) {
    const { data, error } = await client.mutation(query, variables).toPromise();
    if (error) throw error;
    return data;
  },
});
