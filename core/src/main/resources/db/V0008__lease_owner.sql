-- What a lease is called, which key asked for it, and what stays known of it.
alter table lease
  add column api_key_id   uuid,
  add column name         text check (length(name) between 1 and 255),
  add column region       text,
  add column ready_at     timestamptz,
  add column dismissed_at timestamptz;
