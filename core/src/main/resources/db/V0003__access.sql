-- Public keys that people registered. Retention: until they delete them.
create table ssh_key (
  id          uuid primary key,
  project_id  uuid not null references project,
  person_id   uuid not null references person,
  title       text not null check (length(title) between 1 and 200),
  public_key  text not null check (length(public_key) <= 16384),
  fingerprint text not null,
  made_at     timestamptz not null,
  unique (project_id, fingerprint)
);

-- Tokens that open one terminal once, as hashes. Retention: deleted on use, or when they expire.
create table terminal_token (
  hash       bytea primary key,
  lease_id   uuid not null,
  person_id  uuid not null references person,
  expires_at timestamptz not null
);
create index terminal_token_expires on terminal_token (expires_at);
