-- What access tokens are signed with, sealed: the youngest signs, the others are still known.
-- Retention: deleted when nothing that they signed can be good any more.
create table signing_key (
  id         text primary key,
  sealed     text not null,
  made_at    timestamptz not null,
  retired_at timestamptz
);
