// @ts-check
/**
 * GraphiQL on this site: the same URL over HTTP and over WebSocket, and the examples in tabs, ready to run.
 *
 * A query in the page's own URL (`?query=`, `&variables=`, `&operationName=`) is in a tab of its own, in front.
 */

import { createSocketClient } from "./graphiql/connection.js";

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
  `# You, the same person as in the chat.
query WhoAmI {
  me {
    id
    name
    isGuest
  }
}
`,
  `# The last messages in room1. For those before them, ask again
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

/** @typedef {{ query: string, operationName?: string }} Tab */

const url = new URL(location.pathname, location.origin);
const webSocketUrl = new URL(url);
webSocketUrl.protocol = url.protocol === "https:" ? "wss:" : "ws:";

const status = /** @type {HTMLElement} */ (document.getElementById("graphiql-status"));
const fetcher = GraphiQL.createFetcher({
  url: url.href,
  wsClient: createSocketClient(webSocketUrl.href, (text) => {
    status.textContent = text;
  }),
});

const asked = new URLSearchParams(location.search);
const given = {
  query: asked.get("query") ?? undefined,
  variables: asked.get("variables") ?? undefined,
  operationName: asked.get("operationName") || undefined,
};

/** The page. The name of the operation holds for the query that it came with, as long as that is in front. */
function Page() {
  const [operationName, setOperationName] = React.useState(given.operationName);
  /** @param {{ tabs: Tab[], activeTabIndex: number }} state */
  const onTabChange = ({ tabs, activeTabIndex }) =>
    setOperationName(tabs[activeTabIndex]?.query === given.query ? given.operationName : undefined);
  return React.createElement(GraphiQL, {
    fetcher,
    query: given.query,
    variables: given.query && given.variables,
    operationName,
    onTabChange,
    defaultTabs: [...(given.query ? [given] : []), ...EXAMPLES.map((query) => ({ query }))],
    plugins: [GraphiQLPluginExplorer.explorerPlugin()],
    defaultEditorToolsVisibility: given.variables ? "variables" : false,
    inputValueDeprecation: true,
  });
}

ReactDOM.createRoot(document.getElementById("graphiql")).render(React.createElement(Page));
