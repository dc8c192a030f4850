-- Take ids for visitors' that were sent as users' before a moment: how many events and visitors were changed, and how many
-- of the visitors are users' now?
-- site_id: the site; ids: the visitors; people: as whom each was first identified, or null; before: the moment; now: the
-- current time.
select changed, adopted, linked
from adopt_visitors(
    :'site_id', :'ids'::varchar[], :'people'::varchar[], :'before'::timestamptz, :'now'::timestamptz
)
