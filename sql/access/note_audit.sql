-- Note what somebody did. Parameters: actor, action, details.
insert into audit (actor, action, details) values (:'actor', :'action', :'details'::jsonb)
