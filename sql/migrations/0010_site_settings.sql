-- What a site says of itself. A site with a row here is registered, which it has to be if SITES=registered.
create table site_settings (
    site_id       varchar(255) collate "C" primary key,
    name          text not null default '',
    origins       text[],                          -- the pages that may send its events; null: those of CORS_ORIGINS
    currency      text collate "C",                -- what a sale without currency is in; null: it cannot be counted
    secret_orders boolean not null default false,  -- only sales sent with a secret key count
    created_at    timestamptz not null default now()
);
