// @ts-check
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as graphql from "graphql";
import { Recovery } from "../../static/graphiql/recovery.js";

const JOIN = 'subscription { joinChatRooms(rooms: [{ roomName: "a" }, { roomName: "b" }], user: "foo") { message } }';
const READ = "subscription Read($rooms: [RoomPosition!]!) { all: roomMessages(rooms: $rooms) { message } }";

/**
 * @param {string} query
 * @param {Record<string, unknown>} [variables]
 */
function recovery(query, variables) {
  const found = Recovery.of(graphql, { query, variables });
  assert.ok(found);
  return found;
}

/** @param {string} query */
function printed(query) {
  return graphql.print(graphql.parse(query)).replaceAll(/\s+/g, " ");
}

test("recovery asks for positions and takes them from results", () => {
  const found = recovery(JOIN);
  assert.equal(
    printed(found.next().query),
    'subscription { joinChatRooms(rooms: [{roomName: "a"}, {roomName: "b"}], user: "foo") ' +
      "{ message reachedRoom: roomName reachedOffset: offset reachedId: id } }",
  );
  const told = { message: "hi", reachedRoom: "a", reachedOffset: 7, reachedId: "x" };
  assert.deepEqual(found.take({ data: { joinChatRooms: told } }), { data: { joinChatRooms: { message: "hi" } } });
  assert.deepEqual(found.take({ data: null, errors: [] }), { data: null, errors: [] });
});

test("recovery of a joined room goes on from the positions reached, in an argument of its own", () => {
  const found = recovery(JOIN);
  found.next();
  found.take({ data: { joinChatRooms: { reachedRoom: "a", reachedOffset: 7, reachedId: "x" } } });
  assert.deepEqual(found.unknown, ["b"]);
  const { query, variables } = found.next();
  assert.match(printed(query), /^subscription \(\$positionsReached: \[RoomPosition!\]!\) \{ joinChatRooms\(/);
  assert.match(query, /positions: \$positionsReached/);
  assert.deepEqual(variables, { positionsReached: [{ roomName: "a", after: 7, afterId: "x" }] });
  found.locate("b", 3);
  found.locate("a", 1); // it is known better
  assert.deepEqual(found.unknown, []);
  assert.deepEqual(found.next().variables?.positionsReached, [
    { roomName: "a", after: 7, afterId: "x" },
    { roomName: "b", after: 3 },
  ]);
});

test("recovery puts positions in the place of those that were given, and drops the variable that had them", () => {
  const found = recovery(READ, { rooms: [{ roomName: "a", after: 5 }, { roomName: "b" }] });
  found.next();
  found.take({ data: { all: { reachedRoom: "a", reachedOffset: 6, reachedId: null } } });
  const { query, variables } = found.next();
  assert.equal(
    printed(query),
    "subscription Read($positionsReached: [RoomPosition!]!) { all: roomMessages(rooms: $positionsReached) " +
      "{ message reachedRoom: roomName reachedOffset: offset reachedId: id } }",
  );
  assert.deepEqual(variables?.positionsReached, [{ roomName: "a", after: 6, afterId: null }, { roomName: "b" }]);
});

test("recovery takes a lower position where the log went back", () => {
  const found = recovery(JOIN);
  found.next();
  for (const reachedOffset of [9, 2])
    found.take({ data: { joinChatRooms: { reachedRoom: "a", reachedOffset, reachedId: null } } });
  assert.deepEqual(found.next().variables?.positionsReached, [{ roomName: "a", after: 2, afterId: null }]);
});

test("there is no recovery for other subscriptions and for what makes no sense", () => {
  for (const query of [
    'subscription { roomTyping(roomName: "a") { people { id } } }',
    'subscription { a: roomMessages(rooms: [{ roomName: "a" }]) { id } b: roomMessages(rooms: []) { id } }',
    "subscription { roomMessages(rooms: []) { id } }",
    "subscription { roomMessages }",
    "subscription { ...All } fragment All on Subscription { myRoomChanges { name } }",
    "query { me { id } }",
    "{",
    "",
  ])
    assert.equal(Recovery.of(graphql, { query }), null, query);
});

test("what recovery makes of a document is valid, at first and later on", () => {
  const sdl = readFileSync(new URL("../../gqlchat/schema.graphql", import.meta.url), "utf8");
  const schema = graphql.buildSchema(sdl);
  const fields = "joinChatRooms(rooms: $rooms, user: $user, positions: $positions) { ...Told }";
  for (const query of [
    JOIN,
    READ,
    `subscription S($rooms: [ChatRoom!]!, $user: String!, $positions: [RoomPosition!]) { ${fields} }
     fragment Told on ChatRoomMessage { message kind }`,
    'subscription { roomMessages(rooms: { roomName: "a" }, kinds: [EDIT]) { id } }',
  ]) {
    const found = recovery(query, { rooms: [{ roomName: "a" }] });
    for (let connection = 1; connection <= 3; connection += 1)
      assert.deepEqual(graphql.validate(schema, graphql.parse(found.next().query)), [], query);
  }
});
