"""Dramatiq's home: the queue and the actors. `dramatiq actors` runs them; more of these scale the workers."""

from actors.dead_letters import (
    discard_dead_letters,
    file_dead_message,
    queue_discard,
    queue_replay,
    replay_dead_letters,
)
from actors.events import queue_events, store_events
from actors.imports import note_import, queue_import
from actors.maintenance import (
    advance_path_spans,
    advance_sessions,
    advance_top_paths,
    advance_user_months,
    advance_user_spans,
    count_accepted,
    drop_old_events,
    forget_settled_messages,
    make_partitions,
)
from actors.sites import queue_timezone, set_timezone

__all__ = [
    "advance_path_spans",
    "advance_sessions",
    "advance_top_paths",
    "advance_user_months",
    "advance_user_spans",
    "count_accepted",
    "discard_dead_letters",
    "drop_old_events",
    "file_dead_message",
    "forget_settled_messages",
    "make_partitions",
    "note_import",
    "queue_discard",
    "queue_events",
    "queue_import",
    "queue_replay",
    "queue_timezone",
    "replay_dead_letters",
    "set_timezone",
    "store_events",
]
