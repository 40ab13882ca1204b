// @ts-check
/** What the page of a room has to do with notifications: it says when it is seen, and takes back what has been read. */

import { closeNotification, isNotified, PushDevice } from "./push-device.js";

/** @import { Connection } from "../connection/connection.js" */
/** @import { OwnRoom } from "../rooms/own-rooms.js" */
/** @import { Timeline } from "../log/timeline.js" */

const DEVICES = "/accounts/notifications/devices/";

export class RoomPush {
  /**
   * @param {string} room
   * @param {{ id: string, isGuest: boolean }} person
   * @param {Connection} connection
   * @param {Timeline} timeline
   */
  constructor(room, person, connection, timeline) {
    this.room = room;
    this.person = person;
    if (person.isGuest) return;
    const say = () => {
      if (connection.state === "open") connection.send({ visible: document.visibilityState === "visible" });
    };
    connection.addEventListener("state", say);
    document.addEventListener("visibilitychange", say);
    navigator.serviceWorker?.addEventListener("message", ({ data }) => {
      if (data?.kind === "open") timeline.openAt(Number(new URL(data.url, location.href).searchParams.get("at")));
    });
    new PushDevice(DEVICES, person.id).renew();
  }

  /** Whether the site itself tells the person in this browser of what they don't see. */
  get isNotified() {
    return isNotified(this.person.id);
  }

  /** @param {number} unread of this room */
  readHere(unread) {
    if (unread === 0 && !this.person.isGuest) closeNotification(this.room);
  }

  /**
   * Rooms that were read on another device, say, have no notification any more on this one.
   *
   * @param {OwnRoom[]} rooms
   */
  take(rooms) {
    if (this.person.isGuest) return;
    for (const { name, unread } of rooms) if (unread === 0) closeNotification(name);
  }
}
