-- Record that a message is processed. A unique violation of settled_messages_pkey: it was processed before.
-- id: the message's id; now: the current time.
insert into settled_messages (message_id, settled_at)
values (:'id', :'now')
