"""Exports of Slack: each channel becomes an export of a room, which is imported as any other."""
