-- Have a site, though it has no event yet. site_id: the site.
insert into sites (site_id) values (:'site_id') on conflict do nothing
