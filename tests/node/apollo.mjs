// npm @apollo/client, over graphql-ws
import { ApolloClient, ApolloLink, gql, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { run, url } from "./line.mjs";

globalThis.WebSocket ??= WebSocket; // the link looks at it, whatever it was given

const link = new GraphQLWsLink(createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 }));
const client = new ApolloClient({ link: ApolloLink.from([link]), cache: new InMemoryCache() });

await run({
  listen: (query, variables, next) =>
    new Promise((ended) => {
      const heard = ({ data, error }) => (error ? ended() : next(data));
      client.subscribe({ query: gql(query), variables }).subscribe({ next: heard, error: ended, complete: ended });
    }),
  post: async (query, variables) => (await client.mutate({ mutation: gql(query), variables })).data,
});
