-- Note that a message is settled. A unique violation of settled_messages_pkey: it is already.
-- id: the message's id.
insert into settled_messages (message_id)
values (:'id')
