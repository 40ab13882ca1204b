// npm graphql-sse: server-sent events, with a connection for each operation
import { createClient } from "graphql-sse";
import { run, url } from "./line.mjs";

// It would subscribe again by itself, with the position of the first time: so not by itself.
const client = createClient({ url: url.replace("ws", "http"), retryAttempts: 0 });

await run({
  async listen(query, variables, next) {
    for await (const { data } of client.iterate({ query, variables })) next(data);
  },
  async post(query, variables) {
    for await (const { data } of client.iterate({ query, variables })) return data;
  },
});
