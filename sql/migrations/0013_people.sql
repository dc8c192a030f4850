-- Who a person is: events of a visitor (a browser or a device) count for the user that the visitor was first identified
-- as, before and after it. events.user_id is the person: the event's user; else the user of its visitor; else the visitor.
alter table events add column visitor_id varchar(255) collate "C";

-- The users that visitors were identified as. The first identification counts: two users of a shared device stay two.
create table visitors (
    site_id    varchar(255) collate "C",
    visitor_id varchar(255) collate "C",
    user_id    varchar(255) collate "C" not null,
    linked_at  timestamptz not null,
    primary key (site_id, visitor_id)
);
create index visitors_user on visitors (site_id, user_id);

-- A visitor of a new event, and whom the event was stored for: a user, or the visitor's own id.
create type seen_visitor as (
    site_id    varchar(255) collate "C",
    visitor_id varchar(255) collate "C",
    user_id    varchar(255) collate "C",
    event_time timestamptz
);

-- An event of a visitor that became a user's.
create type moved_event as (
    visitor_id varchar(255) collate "C",
    event_time timestamptz
);

-- A bitmap of a day or of a span.
create type bitmap_place as (
    first_day  date,
    end_day    date,
    event_type varchar(100) collate "C"
);

-- An erasure looks for the person's visitors too.
alter type person_traces add attribute visitors text[];
