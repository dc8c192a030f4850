-- Record an import, or its progress. Once it has ended, late updates change nothing.
-- site_id, import_id: the import; the others: see the table imports.
insert into imports (
    site_id, import_id, files, options, began_at, ended_at, rows, sent, first_time, last_time, messages
)
values (
    :'site_id', :'import_id', :'files', :'options', :'began_at', :'ended_at', :'rows', :'sent', :'first_time', :'last_time',
    :'messages'
)
on conflict (site_id, import_id) do update set
    files = excluded.files,
    ended_at = excluded.ended_at,
    rows = excluded.rows,
    sent = excluded.sent,
    first_time = excluded.first_time,
    last_time = excluded.last_time,
    messages = excluded.messages
where imports.site_id = :'site_id' and imports.ended_at is null
