"""Copies of the database and of the files that it names, made while the site runs, and the way back from them.

A directory holds many backups, and their files together, since files never change:

    20261127T200000Z/   database.sqlite3 or database.dump, files.sha256, manifest.json
    files/              the files of all of these

A backup is in a folder whose name ends in `.part` until all of it is there.
"""
