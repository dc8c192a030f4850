"""What can be wrong with rollups, for the tests of `tjra verify` and `tjra rebuild`."""

#: What may be done to rollups, with a number of chance.
DAMAGES = [
    "delete from event_hours where site_id = %(site)s and extract(hour from hour)::int <> 12 + %(n)s",
    "update event_hours set events = %(n)s where site_id = %(site)s and event_type = 'click'",
    # A path of its own for each: rows moved twice would meet, in an order that only the heap knows.
    "update path_days set day = day - 60 * %(n)s, path = gen_random_uuid() where site_id = %(site)s",
    "delete from path_days where site_id = %(site)s and events <= %(n)s",
    "update user_days set users = users << %(n)s where site_id = %(site)s",
    "delete from user_days where site_id = %(site)s and extract(day from day)::int = 10 + %(n)s",
    "delete from users where site_id = %(site)s and user_no = %(n)s",
    "update users set user_no = %(n)s where site_id = %(site)s and user_id = 'bob'",
    "update session_days set views = %(n)s, length = length * %(n)s where site_id = %(site)s",
    "delete from session_days where site_id = %(site)s and sessions = %(n)s",
    "update session_page_days set exits = %(n)s where site_id = %(site)s and entries = 1",
    "delete from session_page_days where site_id = %(site)s and exits = %(n)s",
    "delete from sessions where site_id = %(site)s and events = %(n)s",
    "update sites set users = %(n)s where site_id = %(site)s",
    "update sites set timezone = 'Asia/Tokyo' where site_id = %(site)s",
    "delete from events where site_id = %(site)s and user_id = (array['ann', 'bob', 'cat'])[%(n)s + 1]",
]

#: What can be wrong: a statement that does it, and what verify finds: rollup, key, what it says, what the events say.
SPOILED = {
    "hours: a count off": (
        ("update event_hours set events = events + 1 where site_id = %(site)s and event_type = 'click'"
         " and hour = '2026-03-10 12:00Z'"),
        [("event_hours", {"event_type": "click", "hour": "2026-03-10T12:00:00Z"}, 2, 1)],
    ),
    "hours: anonymous events off": (
        ("update event_hours set anonymous = anonymous + 1 where site_id = %(site)s and event_type = 'click'"
         " and hour = '2026-03-11 12:00Z'"),
        [("event_hours", {"event_type": "click", "hour": "2026-03-11T12:00:00Z", "counts": "anonymous"}, 2, 1)],
    ),
    "hours: a row missing": (
        "delete from event_hours where site_id = %(site)s and hour = '2026-03-11 12:00Z' and event_type = 'click'",
        [("event_hours", {"event_type": "click", "hour": "2026-03-11T12:00:00Z"}, None, 1)],
    ),
    "hours: a row too many": (
        "insert into event_hours values (%(site)s, 'sale', '2026-03-11 23:00Z', 5)",
        [("event_hours", {"event_type": "sale", "hour": "2026-03-11T23:00:00Z"}, 5, None)],
    ),
    "paths: a count off": (
        "update path_days set events = 7 where site_id = %(site)s and day = '2026-03-10' and path = '/b'",
        [("path_days", {"event_type": "click", "day": "2026-03-10", "path": "/b"}, 7, 1)],
    ),
    "paths: a row missing": (
        "delete from path_days where site_id = %(site)s and day = '2026-03-10' and path = '/b'",
        [("path_days", {"event_type": "click", "day": "2026-03-10", "path": "/b"}, None, 1)],
    ),
    "paths: a row too many": (
        "insert into path_days values (%(site)s, 'click', '2026-03-20', '/c', 1)",
        [("path_days", {"event_type": "click", "day": "2026-03-20", "path": "/c"}, 1, None)],
    ),
    "sessions: a count off": (
        "update sessions set events = 9 where site_id = %(site)s and user_id = 'bob' and began = '2026-03-10 12:00Z'",
        [("sessions", {"user_id": "bob", "began": "2026-03-10T12:00:00.000000Z", "in": ["events"]}, 9, 2)],
    ),
    "sessions: where it came from, and whether it is the first, off": (
        ("update sessions set origin_number = 7, agent_number = 7, is_new = not is_new"
         " where site_id = %(site)s and user_id = 'bob' and began = '2026-03-10 12:00Z'"),
        [
            (
                "sessions",
                {
                    "user_id": "bob",
                    "began": "2026-03-10T12:00:00.000000Z",
                    "in": ["agent_number", "origin_number", "is_new"],
                },
                2,
                2,
            )
        ],
    ),
    "orders that count: a row too many": (
        ("insert into counted_orders select site_id, '2026-03-10 12:00Z', 'a0000000-0000-4000-8000-000000000000',"
         " 'bob', 'EUR', 1 from sites where site_id = %(site)s"),
        [
            (
                "counted_orders",
                {
                    "event_time": "2026-03-10T12:00:00.000000Z",
                    "event_id": "a0000000-0000-4000-8000-000000000000",
                    "in": ["user_id", "currency", "amount"],
                },
                1,
                None,
            )
        ],
    ),
    "sessions: a page off": (
        "update sessions set exit_page = '/c' where site_id = %(site)s and user_id = 'bob' and events = 2",
        [
            ("session_page_days", {"day": "2026-03-10", "path": "/b", "counts": "exits"}, 1, 0),
            ("session_page_days", {"day": "2026-03-10", "path": "/c", "counts": "exits"}, 0, 1),
            ("sessions", {"user_id": "bob", "began": "2026-03-10T12:00:00.000000Z", "in": ["exit_page"]}, 2, 2),
        ],
    ),
    "sessions: a row missing": (
        "delete from sessions where site_id = %(site)s and user_id = 'bob' and began = '2026-03-11 12:00Z'",
        [
            ("session_days", {"day": "2026-03-11", "seconds": 0, "in": ["sessions", "bounces", "views"]}, 2, 1),
            ("session_page_days", {"day": "2026-03-11", "path": "/a", "counts": "entries"}, 2, 1),
            (
                "sessions",
                {
                    "user_id": "bob",
                    "began": "2026-03-11T12:00:00.000000Z",
                    "in": [
                        "ended", "entry_page", "exit_page", "events", "views", "carts", "checkouts", "is_new",
                    ],
                },
                None,
                1,
            )
        ],
    ),
    "sessions by day: a sum off": (
        ("update session_days set views = 7, length = '1 hour' where site_id = %(site)s and day = '2026-03-11'"
         " and seconds = 0"),
        [("session_days", {"day": "2026-03-11", "seconds": 0, "in": ["views", "length"]}, 2, 2)],
    ),
    "sessions by day: a row missing": (
        "delete from session_days where site_id = %(site)s and day = '2026-03-11'",
        [("session_days", {"day": "2026-03-11", "seconds": 0, "in": ["sessions", "bounces", "views"]}, 0, 2)],
    ),
    "sessions by day: a row too many": (
        "insert into session_days values (%(site)s, '2025-03-11', 9, 1, 1, 1, '9 seconds')",
        [
            (
                "session_days",
                {"day": "2025-03-11", "seconds": 9, "in": ["sessions", "bounces", "views", "length"]},
                1,
                0,
            )
        ],
    ),
    "sessions by page: a count off": (
        ("update session_page_days set exits = 5 where site_id = %(site)s and day = '2026-03-11'"
         " and path = '/a'"),
        [("session_page_days", {"day": "2026-03-11", "path": "/a", "counts": "exits"}, 5, 2)],
    ),
    "sessions by page: a row missing": (
        "delete from session_page_days where site_id = %(site)s and day = '2026-03-11' and path = '/a'",
        [("session_page_days", {"day": "2026-03-11", "path": "/a", "counts": "entries"}, 0, 2)],
    ),
    "bitmaps: a bit too many": (
        ("update user_days set users = set_bit(users, 8191, 1)"
         " where site_id = %(site)s and day = '2026-03-10' and event_type = 'click'"),
        [("user_days", {"event_type": "click", "day": "2026-03-10", "chunk": 0, "users": [8191]}, 2, 1)],
    ),
    "bitmaps: a bit missing": (
        ("update user_days set users = set_bit(users, 0, 0)"
         " where site_id = %(site)s and day = '2026-03-10' and event_type = 'page_view'"),
        [("user_days", {"event_type": "page_view", "day": "2026-03-10", "chunk": 0, "users": [0]}, 1, 2)],
    ),
    "bitmaps: one bit for another": (
        ("update user_days set users = set_bit(set_bit(users, 1, 0), 2, 1)"
         " where site_id = %(site)s and day = '2026-03-10' and event_type = 'click'"),
        [("user_days", {"event_type": "click", "day": "2026-03-10", "chunk": 0, "users": [1, 2]}, 1, 1)],
    ),
    "bitmaps: a row missing": (
        "delete from user_days where site_id = %(site)s and day = '2026-03-10' and event_type = 'click'",
        [("user_days", {"event_type": "click", "day": "2026-03-10", "chunk": 0, "users": [1]}, None, 1)],
    ),
    "bitmaps: a row too many": (
        ("insert into user_days select site_id, day, event_type, 3, users from user_days"
         " where site_id = %(site)s and day = '2026-03-10' and event_type = 'click'"),
        [("user_days", {"event_type": "click", "day": "2026-03-10", "chunk": 3, "users": [24577]}, 1, None)],
    ),
    "users: one missing": (
        "delete from users where site_id = %(site)s and user_id = 'ann'",
        [
            ("sites", {"column": "vacant_numbers"}, 0, 1),
            ("user_days", {"event_type": "page_view", "day": "2026-03-10", "chunk": 0, "users": [0]}, 2, 1),
            ("user_days", {"event_type": "page_view", "day": "2026-03-11", "chunk": 0, "users": [0]}, 2, 1),
            ("user_days", {"event_type": "page_view", "day": "2026-04-19", "chunk": 0, "users": [0]}, 2, 1),
            ("users", {"user_id": "ann"}, 0, 1),
            ("users", {"user_id": "ann"}, 0, 1),
        ],
    ),
    "users: one too many": (
        "insert into users values (%(site)s, 'nobody', 3, '2026-03-10')",
        [("sites", {"column": "users"}, 3, 4), ("users", {"user_id": "nobody"}, 1, 0)],
    ),
    "users: one who has the number of another": (
        "update users set user_no = 0 where site_id = %(site)s and user_id = 'cat'",
        [
            ("user_days", {"event_type": "click", "day": "2026-04-19", "chunk": 0, "users": [0, 2]}, 1, 1),
            ("users", {"user_no": 0}, 2, 1),
        ],
    ),
    "sites: the counter too low": (
        "update sites set users = 1 where site_id = %(site)s",
        [("sites", {"column": "users"}, 1, 3)],
    ),
}  # fmt: skip
