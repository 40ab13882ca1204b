// @ts-check
/**
 * GraphiQL on this site: the same URL over HTTP, over WebSocket and as events, with examples that are ready to run.
 *
 * A query in the page's own URL (`?query=`, `&variables=`, `&operationName=`) is in a tab of its own, in front.
 */

import * as bundle from "./graphiql/bundle/graphiql.js";
import { EventStreamTransport } from "./graphiql/event-stream.js";
import { read, withOwnRoom } from "./graphiql/examples.js";
import { examplesPlugin } from "./graphiql/examples-plugin.js";
import { createFetcher, post } from "./graphiql/fetcher.js";
import { Results } from "./graphiql/results.js";
import { Running } from "./graphiql/running.js";
import { withoutHeaders } from "./graphiql/storage.js";
import { chooser } from "./graphiql/transports.js";
import { WebSocketTransport } from "./graphiql/web-socket.js";

const { DOC_EXPLORER_PLUGIN, DocExplorerStore, GraphiQL, GraphiQLInterface, GraphiQLProvider } = bundle;
const { HISTORY_PLUGIN, HistoryStore, React, createRoot, explorerPlugin, useGraphiQL } = bundle;
const { createElement: h, useEffect, useState } = React;

const url = new URL(location.pathname, location.origin);
const webSocketUrl = new URL(url);
webSocketUrl.protocol = url.protocol === "https:" ? "wss:" : "ws:";

const ask = post.bind(null, url.href);
const sockets = new WebSocketTransport(bundle, webSocketUrl.href, ask);
const running = new Running(chooser(sockets, new EventStreamTransport(url.href)));

const written = await text(new URL("graphiql/examples.graphql", import.meta.url)).catch(() => "");
const examples = read(withOwnRoom(written, localStorage));
const first = examples[0]?.examples ?? [{ query: "" }]; // GraphiQL can't do with no tab at all

const asked = new URLSearchParams(location.search);
const given = {
  query: asked.get("query") ?? undefined,
  variables: asked.get("variables") ?? undefined,
  operationName: asked.get("operationName") || undefined,
};

/**
 * What is there; nothing, where it is refused.
 *
 * @param {URL} address
 */
async function text(address) {
  const answer = await fetch(address);
  return answer.ok ? answer.text() : "";
}

/**
 * Wires GraphiQL's store before anything takes actions from it.
 *
 * @param {{ children: unknown }} properties
 */
function Wired({ children }) {
  const { actions, tabs, activeTabIndex, queryEditor, theme } = useGraphiQL((/** @type {any} */ state) => ({
    actions: state.actions,
    theme: state.theme,
    tabs: state.tabs,
    activeTabIndex: state.activeTabIndex,
    queryEditor: state.queryEditor,
  }));
  useState(() => running.watch(actions, { tabs, activeTabIndex }));
  useEffect(() => {
    if (queryEditor && given.operationName) actions.setOperationName(given.operationName);
  }, [queryEditor, actions]);
  const front = tabs[activeTabIndex];
  useEffect(() => {
    const tab = document.querySelector(".graphiql-tab-active");
    tab?.scrollIntoView({ block: "nearest", inline: "nearest" }); // the strip may be too narrow for all
  }, [front?.id, front?.title, tabs.length]);
  useEffect(() => {
    const systemTheme = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => actions.setTheme(theme); // GraphiQL itself looks once
    systemTheme.addEventListener("change", follow);
    return () => systemTheme.removeEventListener("change", follow);
  }, [theme, actions]);
  return children;
}

// On a first visit the documentation is open where there is room for it; later on GraphiQL knows what was open.
const isFirstVisit = localStorage.getItem("graphiql:tabState") === null;
const hasRoom = matchMedia("(width >= 80rem)").matches;

const plugins = [DOC_EXPLORER_PLUGIN, examplesPlugin(examples), explorerPlugin(), HISTORY_PLUGIN];
const page = h(
  GraphiQLProvider,
  {
    fetcher: createFetcher(bundle, running, ask),
    plugins,
    storage: withoutHeaders(localStorage),
    referencePlugin: DOC_EXPLORER_PLUGIN,
    visiblePlugin: isFirstVisit && hasRoom ? DOC_EXPLORER_PLUGIN : undefined,
    initialQuery: given.query,
    initialVariables: given.query && (given.variables ?? ""),
    defaultTabs: [...(given.query ? [given] : []), ...first.map(({ query }) => ({ query }))],
    inputValueDeprecation: true,
    onTabChange: (/** @type {any} */ tabs) => {
      running.tabs = tabs;
    },
  },
  h(
    HistoryStore,
    null,
    h(
      DocExplorerStore,
      null,
      h(
        Wired,
        null,
        h(
          GraphiQLInterface,
          { defaultEditorToolsVisibility: given.variables ? "variables" : false },
          h(GraphiQL.Logo, null, h("a", { href: "/chat/", className: "to-chat" }, "Chat")),
          h(GraphiQL.Footer, null, h(Results, { running })),
        ),
      ),
    ),
  ),
);

createRoot(document.getElementById("graphiql")).render(page);
