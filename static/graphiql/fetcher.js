// @ts-check
/** How GraphiQL's operations reach the server. */

/** @import { Operation, Result } from "./outcomes.js" */
/** @import { Running } from "./running.js" */

/**
 * Queries and mutations go over HTTP, subscriptions run by themselves.
 *
 * @param {any} graphql what the bundle has of the package
 * @param {Running} running
 * @param {(operation: Operation, headers: Record<string, string>) => Promise<Result>} ask
 */
export function createFetcher(graphql, running, ask) {
  /**
   * @param {Operation} wanted
   * @param {{ headers?: Record<string, string>, documentAST?: unknown }} options
   */
  return (wanted, { headers = {}, documentAST } = {}) => {
    const returned = running.returned();
    if (returned) return returned;
    const { operation, kind } = read(graphql, wanted);
    if (kind === "subscription") return running.begin(operation, headers);
    if (documentAST) running.forget(); // or else GraphiQL asks for the schema
    return ask(operation, headers);
  };
}

/**
 * The operation that is meant. For a moment after another tab came to the front, GraphiQL has the name of the operation
 * there: where a document has only one, no name is needed.
 *
 * @param {any} graphql
 * @param {Operation} operation
 */
function read(graphql, operation) {
  try {
    const { definitions } = graphql.parse(operation.query);
    const operations = definitions.filter((/** @type {any} */ one) => one.kind === "OperationDefinition");
    const name = operations.length === 1 ? operations[0].name?.value : operation.operationName;
    const meant = operations.find((/** @type {any} */ one) => operations.length === 1 || one.name?.value === name);
    return { operation: { ...operation, operationName: name }, kind: meant?.operation };
  } catch {
    return { operation, kind: undefined }; // the server says what is wrong with it
  }
}

/**
 * @param {string} url
 * @param {Operation} operation
 * @param {Record<string, string>} headers
 * @returns {Promise<Result>}
 */
export async function post(url, operation, headers) {
  const sent = { ...headers, "Content-Type": "application/json", Accept: "application/json" };
  const answer = await fetch(url, { method: "POST", headers: sent, body: JSON.stringify(operation) });
  return answer.json();
}
