// @ts-check
/* GraphiQL on this site: the same URL over HTTP and over WebSocket, and the examples in tabs, ready to run. */

// From the scripts before this one, which come without types.
const { GraphiQL, GraphiQLPluginExplorer, React, ReactDOM } = /** @type {any} */ (globalThis);

const EXAMPLES = [
  `# Joins two rooms and stays. While it runs, chat in /chat/room1/,
# or send from GraphiQL in another window of the browser.
subscription SubscribeToChatRooms {
  joinChatRooms(
    rooms: [{ roomName: "room1" }, { roomName: "room2" }]
    user: "foo"
  ) {
    roomName
    message
    currentUser
  }
}
`,
  `# Says something in room1: everyone there hears it,
# in the chat and in subscriptions.
mutation echo {
  sendChatMessage(message: "hello room 1", room: { roomName: "room1" })
}
`,
  `# Who you are here: the same as in the chat.
query WhoAmI {
  me {
    id
    name
    isGuest
  }
}
`,
  `# What was said in room1 last. For what was said before that, ask again
# with before: and the startCursor that came.
query History {
  room(name: "room1") {
    lastOffset
    messages(last: 20) {
      pageInfo {
        hasPreviousPage
        startCursor
      }
      edges {
        node {
          offset
          message
          sentAt
          user {
            name
          }
        }
      }
    }
  }
}
`,
];

const url = new URL(location.pathname, location.origin);
const webSocketUrl = new URL(url);
webSocketUrl.protocol = url.protocol === "https:" ? "wss:" : "ws:";

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: url.href, subscriptionUrl: webSocketUrl.href }),
    defaultTabs: EXAMPLES.map((query) => ({ query })),
    plugins: [GraphiQLPluginExplorer.explorerPlugin()],
    defaultEditorToolsVisibility: false,
    inputValueDeprecation: true,
  }),
);
