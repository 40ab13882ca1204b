"""The words of the chat: rooms, people, names, texts, events. No I/O."""
