"""All metrics, for the people who run the site. `/metrics` shows them.

Labels have few values, all of them ours: never the name of a room or a person. Nothing is counted per delivery: an
event is counted once in each process, for all its listeners there.
"""

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # as many lines again, which nobody reads

# Connections and listeners. Of several processes behind one port, the sum of the living ones.
TASKS = Gauge("chat_tasks", "Tasks of asyncio, when it was last asked.", multiprocess_mode="livesum")
CONNECTIONS = Gauge("chat_connections", "Open WebSockets and event streams.", ["door"], multiprocess_mode="livesum")
LISTENERS = Gauge("chat_listeners", "Browsers and subscriptions that listen to rooms.", multiprocess_mode="livesum")
ROOMS = Gauge("chat_rooms", "Rooms, and other logs, that somebody here listens to.", multiprocess_mode="livesum")
CLOSED = Counter("chat_closed", "The same that were closed, by close code.", ["door", "code"])

# Messages and events
POSTS = Counter("chat_posts", "Messages posted: stored, repeated, or the code of the error they met.", ["outcome"])
EVENTS = Counter("chat_events", "Events given to listeners here.")
DELIVERIES = Counter("chat_deliveries", "The same, times the listeners that each was given to.")
LATENCY = Histogram(
    "chat_latency_seconds",
    "From when a message was sent to when it was written to all sockets here, once per event.",
    buckets=[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10],
)
RECOVERIES = Counter("chat_recoveries", "Listeners that came back with a position, by how they went on.", ["outcome"])

PICTURES = Counter("chat_pictures", "Pictures: prepared for being shown, or why they were refused.", ["outcome"])
PUSHES = Counter("chat_pushes", "Notifications sent to push services, by how that went.", ["outcome"])
WEBHOOKS = Gauge("chat_webhooks", "Outgoing webhooks that this process delivers.", multiprocess_mode="livesum")
WEBHOOK_ATTEMPTS = Counter("chat_webhook_attempts", "Requests to webhooks' receivers, by how they went.", ["outcome"])
WEBHOOK_LAG = Histogram(
    "chat_webhook_lag_seconds",
    "From when an entry was stored to when a webhook's receiver had taken it.",
    buckets=[0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 600, 3600, 86400],
)

# Faults, and refusals
REPAIRED = Counter("chat_repaired", "Messages that the channel layer didn't bring here, and the database did.")
DROPPED = Counter("chat_dropped", "Events from the channel layer that nobody could make sense of.")
REDIS_UP = Gauge(
    "chat_redis_up",
    "1 while the channel layer answers, 0 while it, or one of its servers, is away.",
    multiprocess_mode="livemin",
)
REDIS_UP.set(1)
REDIS_SERVER_UP = Gauge(
    "chat_redis_server_up",
    "The same for each of the layer's servers, by its number in REDIS_URL.",
    ["server"],
    multiprocess_mode="livemin",
)
SLOW_LISTENERS = Counter("chat_slow_listeners", "Listeners that were cut off because they read too slowly.")
LIMITS_HIT = Counter("chat_limits_hit", "What was refused because it was too much, by limit.", ["limit"])
REFUSED_ORIGINS = Counter("chat_refused_origins", "Requests and WebSockets of foreign sites' pages that were refused.")
MASKED_ERRORS = Counter("chat_masked_errors", "Exceptions that clients saw as “something went wrong”.")
DATABASE_ERRORS = Counter("chat_database_errors", "Hops to the database that failed.")
LANES_GIVEN_UP = Counter("chat_database_lanes_given_up", "Connections to the database that were cut because they hung.")
