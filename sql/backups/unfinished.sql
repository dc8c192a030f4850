-- What does the mark of a restore say whose messages are not all back in the queue? Null: there is none.
select obj_description(to_regclass('migrations'), 'pg_class') as mark
