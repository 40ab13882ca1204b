from enum import Enum


class MessageKind(str, Enum):
    MESSAGE = "MESSAGE"
    DELETION = "DELETION"
    NOTICE = "NOTICE"
    EDIT = "EDIT"
    REACTION = "REACTION"
    GREETING = "GREETING"
    LINKS = "LINKS"
    START_OVER = "START_OVER"
