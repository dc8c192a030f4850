-- How many events of an import could not be stored?
-- site_id, import_id: the import; messages: the messages that carried its events.
select count(*)
from dead_letters
where site_id = :'site_id'
    and message_id = any (:'messages'::uuid[])
    and state in ('dead', 'discarded')
    and position(convert_to(format('"import_id":"%s"', :'import_id'::text), 'UTF8') in payload) > 0
