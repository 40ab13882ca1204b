// @ts-check
/** How a subscription to rooms goes on over another WebSocket: after the last entry of each room that it was sent. */

/** @import { Operation, Result } from "./outcomes.js" */

/** The fields that can go on, and the argument of each that takes positions. */
const POSITIONS = new Map([
  ["roomMessages", "rooms"],
  ["joinChatRooms", "positions"],
]);
const VARIABLE = "positionsReached";

/** The fields that each event needs for that, under names that are in nobody's way. */
const TOLD = " reachedRoom: roomName reachedOffset: offset reachedId: id ";

/**
 * @typedef {{ roomName: string, after?: number | null, afterId?: string | null }} Position
 * @typedef {{ from: number, to: number, text: string }} Edit of a document
 */

export class Recovery {
  /**
   * @param {any} graphql what the bundle has of the package
   * @param {Operation} operation
   * @returns {Recovery | null} null for a subscription to something else than rooms, and where it makes no sense
   */
  static of(graphql, operation) {
    try {
      const recovery = new Recovery(graphql, operation);
      return recovery.#isPossible ? recovery : null;
    } catch {
      return null; // the server says what is wrong with it
    }
  }

  #graphql;
  #given;
  #document;
  #definition;
  #field;
  /** @type {Map<string, Position>} by room */
  #positions = new Map();
  #isUnderWay = false;

  /**
   * @param {any} graphql
   * @param {Operation} operation
   */
  constructor(graphql, operation) {
    this.#graphql = graphql;
    this.#given = operation;
    this.#document = graphql.parse(operation.query);
    this.#definition = this.#document.definitions.find(
      (/** @type {any} */ one) =>
        one.kind === "OperationDefinition" && (!operation.operationName || one.name?.value === operation.operationName),
    );
    this.#field = this.#definition.selectionSet.selections[0];
    for (const name of ["rooms", "positions"])
      for (const room of this.#valueOf(name)) this.#positions.set(room.roomName, room);
  }

  get #isPossible() {
    const alone = this.#definition.selectionSet.selections.length === 1;
    return alone && this.#field.selectionSet && POSITIONS.has(this.#field.name.value) && this.#positions.size > 0;
  }

  /**
   * @param {string} name
   * @returns {Position[]} the value of an argument, a list
   */
  #valueOf(name) {
    const argument = this.#argument(name);
    const value = argument && this.#graphql.valueFromASTUntyped(argument.value, this.#given.variables);
    return value ? [value].flat() : [];
  }

  /** @param {string} name */
  #argument(name) {
    return this.#field.arguments.find((/** @type {any} */ argument) => argument.name.value === name);
  }

  /** The rooms where it isn't known yet how far they had come, as nothing was sent from there. */
  get unknown() {
    return [...this.#positions.values()].filter(({ after }) => after == null).map(({ roomName }) => roomName);
  }

  /**
   * How far a room had come before it told anything.
   *
   * @param {string} roomName
   * @param {number} after
   */
  locate(roomName, after) {
    if (this.#positions.get(roomName)?.after == null) this.#positions.set(roomName, { roomName, after });
  }

  /**
   * Reads the position from a result.
   *
   * @param {Result} result
   * @returns {Result} the result as it was asked for
   */
  take(result) {
    const key = (this.#field.alias ?? this.#field.name).value;
    if (!result.data?.[key]) return result;
    const { reachedRoom, reachedOffset, reachedId, ...asked } = result.data[key];
    if (reachedOffset != null)
      this.#positions.set(reachedRoom, { roomName: reachedRoom, after: reachedOffset, afterId: reachedId });
    return { ...result, data: { ...result.data, [key]: asked } };
  }

  /**
   * The operation for the next connection. All that was written by hand stays at its place, so that errors point there.
   *
   * @returns {Operation}
   */
  next() {
    const end = this.#field.selectionSet.loc.end - 1;
    const edits = [{ from: end, to: end, text: TOLD }];
    const { query, variables, operationName } = this.#given;
    if (!this.#isUnderWay) {
      this.#isUnderWay = true;
      return { query: apply(edits, query), variables, operationName };
    }
    edits.push(...this.#withPositions());
    const takesAll = this.#field.name.value === "roomMessages";
    const positions = [...this.#positions.values()].filter(({ after }) => takesAll || after != null);
    return { query: apply(edits, query), variables: { ...variables, [VARIABLE]: positions }, operationName };
  }

  /** @returns {Edit[]} */
  #withPositions() {
    const name = /** @type {string} */ (POSITIONS.get(this.#field.name.value));
    const given = this.#argument(name);
    const place = given?.value.loc ?? {
      start: this.#field.arguments[0].loc.start,
      end: this.#field.arguments[0].loc.start,
    };
    const argument = { from: place.start, to: place.end, text: given ? `$${VARIABLE}` : `${name}: $${VARIABLE} ` };
    const defined = this.#definition.variableDefinitions ?? [];
    const variable = `$${VARIABLE}: [RoomPosition!]!`;
    const at = defined[0]?.loc.start ?? (this.#definition.directives[0] ?? this.#definition.selectionSet).loc.start;
    const definition = { from: at, to: at, text: defined.length ? `${variable} ` : `(${variable}) ` };
    return [argument, definition, ...this.#withoutUnused(defined, given)];
  }

  /**
   * Variables that nothing but the positions had in it are an error from then on.
   *
   * @param {any[]} defined
   * @param {any} replaced
   * @returns {Edit[]}
   */
  #withoutUnused(defined, replaced) {
    const used = new Set();
    this.#graphql.visit(this.#document, {
      VariableDefinition: () => false,
      Argument: (/** @type {any} */ argument) => (argument === replaced ? false : undefined),
      Variable: (/** @type {any} */ { name }) => void used.add(name.value),
    });
    return defined
      .filter(({ variable }) => !used.has(variable.name.value))
      .map(({ loc }) => ({ from: loc.start, to: loc.end, text: "" }));
  }
}

/**
 * @param {Edit[]} edits
 * @param {string} text
 */
function apply(edits, text) {
  const last = [...edits].sort((one, other) => other.from - one.from || other.to - one.to);
  return last.reduce((done, { from, to, text: put }) => done.slice(0, from) + put + done.slice(to), text);
}
