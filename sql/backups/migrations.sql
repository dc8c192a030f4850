-- Which migrations were applied to this database?
select name, checksum from migrations order by name
