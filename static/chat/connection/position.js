// @ts-check

/** The last entry that the page has seen: the server sends what comes after it. The id proves that it is that entry. */
export class Position {
  offset;
  id;

  /**
   * @param {number} offset
   * @param {string | null} id
   */
  constructor(offset, id) {
    this.offset = offset;
    this.id = id;
  }

  /**
   * @param {number} offset
   * @param {string | null} id
   */
  moveTo(offset, id) {
    this.offset = offset;
    this.id = id;
  }
}
