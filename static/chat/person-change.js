// @ts-check

import { storageKey } from "./composer/storage-key.js";

/** @import { Composer } from "./composer/composer.js" */
/** @import { Draft } from "./composer/draft.js" */
/** @import { ChatOutbox } from "./composer/outbox.js" */
/** @import { PostingLimits } from "./composer/posting-limits.js" */
/** @import { Connection } from "./connection/connection.js" */
/** @import { ChatIdentity, Person } from "./connection/identity.js" */
/** @import { Position } from "./connection/position.js" */
/** @import { ChatLog } from "./log/chat-log.js" */
/** @import { ChatHistory } from "./log/history.js" */
/** @import { Timeline } from "./log/timeline.js" */
/** @import { ChatPresence } from "./presence/chat-presence.js" */
/** @import { OwnRooms } from "./rooms/own-rooms.js" */
/** @import { Standing } from "./standing.js" */

const SESSION_ENDED = 4401;
const EXCLUDED = 4403;

/**
 * The parts of the page that change with the person.
 *
 * @typedef {object} Parts
 * @property {string} room
 * @property {Standing} standing
 * @property {ChatIdentity} identity
 * @property {Connection} connection
 * @property {Position} position
 * @property {ChatLog} log
 * @property {ChatHistory} history
 * @property {ChatHistory} later
 * @property {Timeline} timeline
 * @property {ChatPresence} presence
 * @property {Composer} composer
 * @property {Draft} draft
 * @property {ChatOutbox} outbox
 * @property {PostingLimits} limits
 * @property {OwnRooms} ownRooms
 */

/** Has the page go when the server doesn't take it for its person any more, and come back when one is known. */
export class PersonChange {
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    const { identity } = parts;
    identity.takeOver = (person) => this.#takeOver(person);
    identity.reconnect = () => this.#comeBack();
    identity.onlyRead = () => this.#onlyRead();
  }

  /** The page may not be here as this person any more, so it shows nothing more of the room. */
  leave() {
    const { log, presence, history, later, connection, identity, standing, limits, ownRooms } = this.#parts;
    log.clear();
    presence.clear();
    log.hidden = history.hidden = later.hidden = true;
    if (connection.closeCode === SESSION_ENDED) identity.refuse();
    standing.excluded = connection.closeCode === EXCLUDED;
    if (standing.excluded) ownRooms.removeHere();
    limits.show();
  }

  /** The page is shown what is said, as nobody in particular. */
  #onlyRead() {
    const { standing, connection } = this.#parts;
    standing.readsOnly = true;
    if (connection.state === "refused") this.#comeBack();
  }

  /** The session was only renewed. */
  #comeBack() {
    const { log, history, timeline, position, connection, standing, limits } = this.#parts;
    log.hidden = history.hidden = false;
    standing.excluded = false;
    limits.show();
    timeline.startOver(position.offset);
    connection.open();
  }

  /**
   * Go on as the person that one has become in another tab, with what isn't said yet.
   *
   * @param {Person} person
   */
  #takeOver(person) {
    const { room, standing, outbox, draft, composer } = this.#parts;
    if (person.id !== standing.person.id) {
      outbox.moveTo(storageKey("outbox", person, room));
      draft.moveTo(storageKey("draft", person, room));
      location.reload();
      return;
    }
    standing.person = { ...standing.person, ...person };
    const name = document.querySelector(".account .person bdi");
    if (name) name.textContent = person.name;
    composer.focus(); // the button that had the focus is gone
  }
}
