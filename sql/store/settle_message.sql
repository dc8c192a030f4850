-- Note that a message is settled. A unique violation of settled_messages_pkey: it is already.
-- id: the message's id; now: the present.
insert into settled_messages (message_id, settled_at)
values (:'id', :'now')
