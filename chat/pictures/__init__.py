"""Pictures that people bring: measured, freed of their metadata, and shown smaller.

`prepared.prepare` is what the rest of the site calls. Pillow itself runs in `child`, a process for each picture.
Nothing here is imported by `child` but `metadata` and `previews`, so it starts without Django.
"""
