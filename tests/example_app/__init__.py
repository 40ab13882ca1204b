"""An app beside the chat, on its hub: to-do lists that people share. docs/extending.md is written along its files.

lists       the log of a list, and its entries
models      the tables
storage     writing entries, reading them back, and who may hear them
source      how it plugs into the hub
actions     what any door may do: store, then publish
consumers   the browser's door: frames
schema      the GraphQL door
asgi        the site with both of them
"""
