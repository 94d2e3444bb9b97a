-- What a lease was told that is told once. Kept as long as its lease.
alter table lease add column told text[] not null default '{}';
