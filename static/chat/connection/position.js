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

  /**
   * Whether a log that ends here doesn't have the entry any more: it is an earlier state of the log, from a backup.
   *
   * @param {number} offset
   * @param {string | null} id
   */
  isSetBackBy(offset, id) {
    return offset < this.offset || (offset === this.offset && id !== null && this.id !== null && id !== this.id);
  }
}
