/**
 * The packages that GraphiQL's page is made of, as one module. The page's own code is not in here, but beside the
 * bundle in static/graphiql/, as native modules.
 */
import "./nonce.js";
import "./page.css";


globalThis.MonacoEnvironment = {
  // Named after the language that it knows: see worker.js.
  getWorker: (_, name) => new Worker(new URL("worker.js", import.meta.url), { name }),
};

export { DOC_EXPLORER_PLUGIN, DocExplorerStore } from "@graphiql/plugin-doc-explorer";
export { explorerPlugin } from "@graphiql/plugin-explorer";
export { HISTORY_PLUGIN, HistoryStore } from "@graphiql/plugin-history";
export { GraphiQLProvider, useGraphiQL, useGraphiQLActions, useMonaco } from "@graphiql/react";
export { GraphiQL, GraphiQLInterface } from "graphiql";
export { parse, print, valueFromASTUntyped, visit } from "graphql";
export { createClient as createSocketClient } from "graphql-ws";
export * as React from "react";
export { createRoot } from "react-dom/client";
