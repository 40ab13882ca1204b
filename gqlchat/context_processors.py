from django.conf import settings
from django.http import HttpRequest


def graphiql(request: HttpRequest) -> dict[str, bool]:
    """Template context: `graphiql`, whether the page is there to be linked to."""
    return {"graphiql": settings.CHAT_GRAPHIQL}
