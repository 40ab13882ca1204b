"""Reports to the moderators of a room."""

from datetime import datetime

import strawberry

from chat.actions import reporting
from chat.domain import rooms
from chat.domain.texts import REASON_MAX
from chat.storage import reports
from chat.storage.history import check_offset
from gqlchat.schema import context
from gqlchat.schema.arguments import MESSAGE_OFFSET, ROOM_NAME, Input
from gqlchat.schema.errors import ERROR, Problem, errors_in
from gqlchat.schema.messages import ChatRoomMessage
from gqlchat.schema.people import Person


@strawberry.type(description="A person's report of a message to the moderators of its room.")
class Report:
    offset: int = strawberry.field(description="The `offset` of the message.")
    reason: str = strawberry.field(description="The reason that the reporter gave; may be empty.")
    reporter: Person = strawberry.field(description="The person who reported the message.")
    reported_at: datetime = strawberry.field(description="The time of their first report of it.")
    message: ChatRoomMessage | None = strawberry.field(
        description="The message as it is now; null where it is no longer kept."
    )

    @classmethod
    def of(cls, report: reports.Report, current_user: str) -> "Report":
        message = ChatRoomMessage.of(report.message, current_user, of_history=True) if report.message else None
        return cls(
            offset=report.offset,
            reason=report.reason,
            reporter=Person.of(report.reporter),
            reported_at=report.at,
            message=message,
        )


@strawberry.input(description="The parameters of `reportMessage`.")
class ReportMessageInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    offset: int = strawberry.field(description=MESSAGE_OFFSET)
    reason: str = strawberry.field(
        default="",
        description=f"The reason, for moderators: at most {REASON_MAX} characters, or else the error `invalid_reason`.",
    )


@strawberry.input(description="The parameters of `dismissReport`.")
class DismissReportInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    offset: int = strawberry.field(description="The `offset` of the message.")


@strawberry.type(description="The outcome of `reportMessage` or `dismissReport`: `error` is null where it went well.")
class ReportPayload:
    error: Problem | None = strawberry.field(default=None, description=ERROR)


@strawberry.type
class ReportMutation:
    @strawberry.mutation(
        description="Reports a message to the moderators of its room. You have one report of a message: once more, "
        "this gives it another reason."
    )
    @errors_in(ReportPayload)
    async def report_message(self, info: strawberry.Info, input: Input[ReportMessageInput]) -> ReportPayload:
        person = context.person(info)
        room, offset = rooms.enter(input.room_name, person), check_offset(input.offset)
        await reporting.report(room=room, offset=offset, reason=input.reason, person=person)
        return ReportPayload()

    @strawberry.mutation(
        description="Deletes the reports of a message, in which there is nothing wrong. For moderators and owners."
    )
    @errors_in(ReportPayload)
    async def dismiss_report(self, info: strawberry.Info, input: Input[DismissReportInput]) -> ReportPayload:
        person = context.person(info)
        room, offset = rooms.enter(input.room_name, person), check_offset(input.offset)
        await reporting.dismiss(room=room, offset=offset, person=person)
        return ReportPayload()
