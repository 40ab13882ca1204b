"""Persisted queries, as Apollo's clients ask for them: this site keeps none, and says so in the words they know.

They first send the hash of a document in its place, to learn whether the server has it. The answer makes them send
documents from then on: https://www.apollographql.com/docs/apollo-server/performance/apq
"""

from typing import Any

PERSISTED_QUERY_NOT_SUPPORTED: dict[str, Any] = {
    "message": "PersistedQueryNotSupported",
    "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"},
}


def is_probe(request: dict[str, Any]) -> bool:
    """Whether a request has the hash of a document, and no document."""
    extensions = request.get("extensions")
    return request.get("query") is None and isinstance(extensions, dict) and bool(extensions.get("persistedQuery"))
